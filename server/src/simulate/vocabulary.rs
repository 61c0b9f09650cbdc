//! The words the simulated world is built of: projects, the setups they run
//! on, and the names people would give to their suites and tests.

/// How a project writes its tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Sentences in `.robot` files.
    Robot,
    /// Functions in `test_*.py` files.
    Python,
}

/// A top-level suite and the files in it; without files it is one itself.
#[derive(Debug)]
pub struct Area {
    /// Its name.
    pub name: &'static str,
    /// The team that looks after it.
    pub owner: &'static str,
    /// Its files.
    pub files: &'static [&'static str],
}

/// A product under test. Tests are named by putting a subject and a behaviour
/// together, so every pair must read as a sentence.
#[derive(Debug)]
pub struct Vocabulary {
    /// The project's name.
    pub project: &'static str,
    /// The root suite.
    pub root: &'static str,
    /// How tests are written.
    pub style: Style,
    /// The framework as a listener reports it.
    pub framework: &'static str,
    /// The first setups; later ones are numbered after `setup_prefix`.
    pub setups: &'static [&'static str],
    /// See `setups`.
    pub setup_prefix: &'static str,
    /// What its setups run on.
    pub system: &'static str,
    /// Suites.
    pub areas: &'static [Area],
    /// Who does something.
    pub subjects: &'static [&'static str],
    /// What they do.
    pub behaviours: &'static [&'static str],
}

/// Every project.
pub static PROJECTS: [Vocabulary; 5] = [BRAKE_ECU, PRESS_CONTROL, MOBILE_APP, PAYMENT_API, WEB_SHOP];

/// Branches beside `main`.
pub const BRANCHES: [&str; 6] = [
    "feature/faster-start-up",
    "feature/new-error-codes",
    "fix/retry-on-timeout",
    "feature/quieter-logging",
    "release/2.4",
    "chore/update-dependencies",
];

/// What sets a run off.
pub const TRIGGERS: [&str; 4] = ["push", "schedule", "merge request", "manual"];

/// Tags of tests; not every test has one.
pub const TAGS: [&str; 6] = ["smoke", "regression", "slow", "safety", "nightly", "network"];

/// Where a setup stands.
pub const PLACES: [&str; 5] = ["lab 1", "lab 2", "hall B", "server room", "cloud, eu-central"];

const BRAKE_ECU: Vocabulary = Vocabulary {
    project: "brake-ecu",
    root: "Brake ECU",
    style: Style::Robot,
    framework: "Robot Framework 7.3.2",
    setups: &["hil-rack-07", "hil-rack-11", "brake-bench-2", "hil-rack-12", "endurance-rig-1"],
    setup_prefix: "hil-rack",
    system: "NI PXIe-8881, CANoe 18",
    areas: &[
        Area {
            name: "Diagnostics",
            owner: "Team Diagnostics",
            files: &["Fault Memory", "Identification", "Routine Control"],
        },
        Area { name: "Network", owner: "Team Connectivity", files: &["CAN Signals", "Gateway"] },
        Area { name: "Power", owner: "Team Platform", files: &["Cold Start", "Undervoltage", "Sleep and Wake"] },
        Area { name: "Braking", owner: "Team Chassis", files: &["Service Brake", "Parking Brake", "Hill Hold"] },
        Area { name: "Acceptance", owner: "Team Chassis", files: &[] },
    ],
    subjects: &[
        "Pedal travel sensor",
        "Wheel speed sensor",
        "Pressure valve",
        "Hydraulic pump",
        "Warning lamp",
        "Yaw rate sensor",
        "Parking brake motor",
        "Brake light switch",
    ],
    behaviours: &[
        "reports no fault after power-on",
        "recovers from a short to ground",
        "recovers from an open circuit",
        "stores a fault code on overvoltage",
        "clears its fault code after repair",
        "keeps its state over a reset",
        "answers on CAN within 20 ms",
        "enters limp mode on undervoltage",
        "passes its self-test",
        "survives a bus-off",
    ],
};

const PRESS_CONTROL: Vocabulary = Vocabulary {
    project: "press-control",
    root: "Press Control",
    style: Style::Robot,
    framework: "Robot Framework 7.1.1",
    setups: &["press-line-3", "press-line-1", "servo-press-5", "press-line-4", "die-cart-simulator"],
    setup_prefix: "press-line",
    system: "Beckhoff C6030, TwinCAT 3.1",
    areas: &[
        Area {
            name: "Safety",
            owner: "Team Safety",
            files: &["Emergency Stop", "Light Curtains", "Two-Hand Operation"],
        },
        Area { name: "Motion", owner: "Team Motion", files: &["Homing", "Stroke Profiles", "Overload"] },
        Area { name: "Material", owner: "Team Line", files: &["Coil Feed", "Die Change"] },
        Area { name: "Operation", owner: "Team Line", files: &["Recipes", "Panel", "Maintenance"] },
        Area { name: "Commissioning", owner: "Team Motion", files: &[] },
    ],
    subjects: &[
        "Ram drive",
        "Die clamp",
        "Light curtain",
        "Two-hand control",
        "Lubrication pump",
        "Coil feeder",
        "Force gauge",
        "Safety door",
    ],
    behaviours: &[
        "goes to its safe state on an emergency stop",
        "reaches its ready state after homing",
        "raises an alarm on overload",
        "resumes after an emergency stop",
        "refuses to start without release",
        "reports its cycle count",
        "keeps its settings after power loss",
        "stays in tolerance for ten strokes",
        "answers on Profinet within one cycle",
        "shows its state on the panel",
    ],
};

const MOBILE_APP: Vocabulary = Vocabulary {
    project: "mobile-app",
    root: "tests/device",
    style: Style::Python,
    framework: "pytest 8.4.1",
    setups: &["android-pixel-8", "android-galaxy-s24", "ios-iphone-15", "android-pixel-6a", "ios-ipad-air"],
    setup_prefix: "android-farm",
    system: "Appium 2.11",
    areas: &[
        Area {
            name: "account",
            owner: "Team Identity",
            files: &["test_login.py", "test_profile.py", "test_devices.py"],
        },
        Area { name: "money", owner: "Team Payments", files: &["test_transfer.py", "test_cards.py"] },
        Area {
            name: "navigation",
            owner: "Team App",
            files: &["test_deep_links.py", "test_tabs.py", "test_search.py"],
        },
        Area { name: "platform", owner: "Team App", files: &["test_permissions.py", "test_lifecycle.py"] },
        Area { name: "test_smoke.py", owner: "Team App", files: &[] },
    ],
    subjects: &[
        "login screen",
        "account list",
        "transfer form",
        "card details",
        "notification centre",
        "settings page",
        "search field",
        "onboarding",
    ],
    behaviours: &[
        "opens within two seconds",
        "survives rotation",
        "works offline",
        "shows an error for bad input",
        "keeps its state in the background",
        "is readable by the screen reader",
        "follows the dark theme",
        "renders long names",
        "recovers from a lost connection",
        "sends its analytics once",
    ],
};

const PAYMENT_API: Vocabulary = Vocabulary {
    project: "payment-api",
    root: "tests/api",
    style: Style::Python,
    framework: "pytest 8.3.5",
    setups: &["payment-api-staging", "payment-api-canary", "payment-api-eu", "payment-api-us", "payment-api-load"],
    setup_prefix: "payment-api-slot",
    system: "Debian 13, PostgreSQL 17",
    areas: &[
        Area {
            name: "payments",
            owner: "Team Payments",
            files: &["test_authorise.py", "test_capture.py", "test_refunds.py"],
        },
        Area {
            name: "ledger",
            owner: "Team Ledger",
            files: &["test_entries.py", "test_rounding.py", "test_export.py"],
        },
        Area { name: "webhooks", owner: "Team Integrations", files: &["test_delivery.py", "test_signatures.py"] },
        Area { name: "limits", owner: "Team Risk", files: &["test_rate_limits.py", "test_fraud_rules.py"] },
        Area { name: "test_contract.py", owner: "Team Integrations", files: &[] },
    ],
    subjects: &[
        "authorisation",
        "capture",
        "refund",
        "webhook",
        "ledger entry",
        "currency conversion",
        "chargeback",
        "idempotency key",
    ],
    behaviours: &[
        "is created",
        "is rejected without a token",
        "is idempotent",
        "rounds half to even",
        "is listed newest first",
        "times out cleanly",
        "is visible to its owner only",
        "survives a database failover",
        "keeps its audit trail",
        "validates its amount",
    ],
};

const WEB_SHOP: Vocabulary = Vocabulary {
    project: "web-shop",
    root: "e2e",
    style: Style::Python,
    framework: "pytest 8.4.1, Playwright 1.54",
    setups: &["web-shop-chrome", "web-shop-firefox", "web-shop-safari", "web-shop-tablet", "web-shop-preview"],
    setup_prefix: "web-shop-runner",
    system: "Ubuntu 24.04",
    areas: &[
        Area {
            name: "checkout",
            owner: "Team Checkout",
            files: &["test_basket.py", "test_payment.py", "test_delivery.py"],
        },
        Area {
            name: "catalogue",
            owner: "Team Catalogue",
            files: &["test_listing.py", "test_product.py", "test_filters.py"],
        },
        Area { name: "customer", owner: "Team Identity", files: &["test_sign_in.py", "test_orders.py"] },
        Area { name: "content", owner: "Team Catalogue", files: &["test_landing_pages.py", "test_cookies.py"] },
        Area { name: "test_accessibility.py", owner: "Team Design", files: &[] },
    ],
    subjects: &[
        "basket",
        "checkout",
        "product page",
        "search page",
        "voucher form",
        "wish list",
        "order history",
        "address book",
    ],
    behaviours: &[
        "loads in under one second",
        "updates its total",
        "keeps its items after login",
        "shows the right currency",
        "works with the keyboard alone",
        "handles an empty state",
        "rejects a bad postcode",
        "shows the stock level",
        "survives the back button",
        "sorts by price",
    ],
};
