//! The canvas: one strip over the whole screen.

use crate::story::Scene;
use app::domain::time::Timestamp;
use app::ecg::draw::{Frame, Path, Rect, STROKES, Scale};
use app::ecg::sample::{self, Ink, Ring};
use app::ecg::sweep::{self, Sweep};
use app::ecg::{DELAY, Strip};
use leptos::prelude::*;
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::JsCast;
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement};

/// Pixels of a millimetre of paper, at most.
const COARSEST: f32 = 9.0;

/// Strokes reach this far beyond their line, px.
const REACH: f64 = 10.0;

/// The seed of the one strip: every screen shows the same heart.
const SEED: u64 = 42;

/// A canvas and what is on it.
pub struct Screen {
    canvas: HtmlCanvasElement,
    context: CanvasRenderingContext2d,
    strip: Strip,
    ring: Ring,
    sweep: Sweep,
    scale: Scale,
    area: Rect,
    version: u64,
    last: Option<Scene>,
    is_still: bool,
}

fn now() -> Timestamp {
    Timestamp((js_sys::Date::now() * 1e3) as i64)
}

fn colour(ink: Ink) -> &'static str {
    match ink {
        Ink::Plain => "#27e07d",
        Ink::Uncertain => "#86b3a2",
        Ink::Technical => "#4dd8e6",
        Ink::Medium => "#ffd23f",
        Ink::High => "#ff4d42",
    }
}

impl Screen {
    /// A screen on this canvas; none where the browser cannot draw.
    pub fn new(canvas: HtmlCanvasElement) -> Option<Self> {
        let context = canvas.get_context("2d").ok()??.dyn_into::<CanvasRenderingContext2d>().ok()?;
        let scale = Scale::fitting(1.0, 1.0);
        let is_still = window()
            .match_media("(prefers-reduced-motion: reduce)")
            .ok()
            .flatten()
            .is_some_and(|query| query.matches());
        Some(Self {
            canvas,
            context,
            strip: Strip::new(SEED),
            ring: Ring::new(1),
            sweep: Sweep::new(1.0, scale),
            scale,
            area: Rect::default(),
            version: 0,
            last: None,
            is_still,
        })
    }

    /// Draws for ever; each frame asks what is on.
    pub fn run(self, ask: impl Fn(Timestamp) -> Scene + 'static) {
        let screen = Rc::new(RefCell::new(self));
        fn again(screen: Rc<RefCell<Screen>>, ask: Rc<dyn Fn(Timestamp) -> Scene>) {
            request_animation_frame(move || {
                screen.borrow_mut().frame(ask(now()));
                again(screen, ask);
            });
        }
        again(screen, Rc::new(ask));
    }

    fn frame(&mut self, scene: Scene) {
        self.measure();
        let now = now();
        if let Some(event) = scene.event {
            self.strip.tell(event);
        }
        if self.last.as_ref() != Some(&scene) {
            self.version += 1;
            self.strip.set(now, self.version, scene.measures.reading());
            self.last = Some(scene);
        }
        let until = sample::index_at(now - DELAY);
        let held = self.ring.range();
        let from = if held.is_empty() { until - self.sweep.span() as i64 } else { held.end };
        let mut samples = Vec::new();
        let first = self.strip.samples(from, until, &mut samples);
        self.ring.push(first, &samples);
        if self.is_still {
            self.context.clear_rect(0.0, 0.0, f64::from(self.area.width), f64::from(self.area.height));
            let frame = sweep::still(&self.area, &self.ring, &self.scale);
            return self.draw(&frame);
        }
        let frame = self.sweep.frame(until, [(self.area, &self.ring)]).clone();
        self.draw(&frame);
    }

    /// Follows the size of the window.
    fn measure(&mut self) {
        let (width, height) = (self.canvas.client_width() as f32, self.canvas.client_height() as f32);
        if (self.area.width, self.area.height) == (width, height) || width < 1.0 || height < 1.0 {
            return;
        }
        let density = window().device_pixel_ratio().clamp(1.0, 2.0);
        self.canvas.set_width((f64::from(width) * density) as u32);
        self.canvas.set_height((f64::from(height) * density) as u32);
        // Fails for no number.
        let _ = self.context.set_transform(density, 0.0, 0.0, density, 0.0, 0.0);
        self.context.set_line_join("round");
        self.area = Rect { x: 0.0, y: 0.0, width, height };
        self.scale = Scale::fitting((height / 40.0).min(COARSEST), height);
        self.sweep = Sweep::new(width, self.scale);
        self.ring = Ring::new(self.sweep.span());
    }

    fn draw(&self, frame: &Frame) {
        for area in &frame.erase {
            let (x, y) = (f64::from(area.x) - 1.0, f64::from(area.y) - REACH);
            self.context.clear_rect(x, y, f64::from(area.width) + REACH, f64::from(area.height) + 2.0 * REACH);
        }
        frame.paths.iter().for_each(|path| self.stroke(path));
    }

    fn stroke(&self, path: &Path) {
        self.context.begin_path();
        for line in path.lines() {
            let Some((first, rest)) = line.split_first() else { continue };
            self.context.move_to(first.x.into(), first.y.into());
            rest.iter().for_each(|point| self.context.line_to(point.x.into(), point.y.into()));
        }
        self.context.set_stroke_style_str(colour(path.look.ink));
        for stroke in STROKES {
            self.context.set_global_alpha(f64::from(stroke.opacity));
            self.context.set_line_width(f64::from(stroke.width) * 1.6);
            self.context.stroke();
        }
    }
}
