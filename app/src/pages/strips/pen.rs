//! Draws lines on the canvas.

use super::places::weight;
use crate::ecg::draw::{Frame, Path, Rect, STROKES, Scale};
use crate::ecg::sample::Ink;
use leptos::web_sys::HtmlElement;
use wasm_bindgen::JsCast;
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement, Window};

/// More pixels than this per CSS pixel are not seen, but cost.
const DENSEST: f64 = 2.0;

/// How bright a strip is on which nothing runs.
const DIM: f64 = 0.45;

/// How far a stroke reaches beyond its line at weight 1, px.
const REACH: f64 = 3.0;

/// Points closer than this to the one before, px, are left out: joints are what
/// a stroke costs, and on fine paper a pixel holds many samples.
const FINEST: f32 = 0.6;

/// The canvas, and what is drawn with.
pub(super) struct Pen {
    window: Window,
    canvas: HtmlCanvasElement,
    context: CanvasRenderingContext2d,
    /// The colour of each of [`Ink::ALL`].
    inks: Vec<String>,
    density: f64,
    weight: f64,
    place: Rect,
}

impl Pen {
    pub fn new(window: Window, canvas: HtmlCanvasElement) -> Option<Self> {
        let context = canvas.get_context("2d").ok()??.dyn_into::<CanvasRenderingContext2d>().ok()?;
        Some(Self { window, canvas, context, inks: Vec::new(), density: 1.0, weight: 1.0, place: Rect::default() })
    }

    /// Reads the inks from the style sheet. Whether they, or the density of the
    /// screen, are others than before.
    pub fn refresh(&mut self) -> bool {
        let density = self.window.device_pixel_ratio().clamp(1.0, DENSEST);
        let is_denser = density != std::mem::replace(&mut self.density, density);
        let current = self.ink(Ink::Plain);
        if self.inks.first() == current.as_ref() {
            return is_denser;
        }
        self.inks = Ink::ALL.iter().map(|ink| self.ink(*ink).unwrap_or_default()).collect();
        // The look above compares with the plain ink.
        self.ink(Ink::Plain);
        true
    }

    /// The style sheet gives the canvas the colour of the ink that it names:
    /// read so, colours come out as the canvas takes them.
    fn ink(&self, ink: Ink) -> Option<String> {
        let name = match ink {
            Ink::Plain => "plain",
            Ink::Uncertain => "uncertain",
            Ink::Technical => "technical",
            Ink::Medium => "medium",
            Ink::High => "high",
        };
        if self.canvas.get_attribute("data-ink").as_deref() != Some(name) {
            self.canvas.set_attribute("data-ink", name).ok()?;
        }
        self.window.get_computed_style(&self.canvas).ok()??.get_property_value("color").ok()
    }

    /// Whole pixels of the screen.
    pub fn snapped(&self, length: f64) -> f32 {
        ((length * self.density).round() / self.density) as f32
    }

    /// Lays the canvas over `place` of the stage. All of it is empty then.
    pub fn lay(&mut self, place: Rect, scale: &Scale) {
        let (square, _) = scale.small_square();
        self.weight = f64::from(weight(scale));
        let style = HtmlElement::style(&self.canvas);
        if let Some(stage) = self.canvas.parent_element().and_then(|stage| stage.dyn_into::<HtmlElement>().ok()) {
            // For the paper under the strips.
            let _ = stage.style().set_property("--square", &format!("{}px", square * 5.0));
        }
        for (name, length) in [("left", place.x), ("top", place.y), ("width", place.width), ("height", place.height)] {
            // Fails for no length.
            let _ = style.set_property(name, &format!("{length}px"));
        }
        let pixels = |length: f32| (f64::from(length) * self.density).round() as u32;
        // Setting the size empties the canvas, and is slow: only where it differs.
        let (width, height) = (pixels(place.width), pixels(place.height));
        if (self.canvas.width(), self.canvas.height()) == (width, height) {
            self.context.clear_rect(0.0, 0.0, f64::from(place.width), f64::from(place.height));
        } else {
            self.canvas.set_width(width);
            self.canvas.set_height(height);
        }
        self.place = place;
        // Fails for no number.
        let _ = self.context.set_transform(self.density, 0.0, 0.0, self.density, 0.0, 0.0);
        self.context.set_line_join("round");
    }

    /// Where the canvas lies on the stage.
    pub fn place(&self) -> Rect {
        self.place
    }

    /// Erases and strokes.
    pub fn draw(&self, frame: &Frame) {
        frame.erase.iter().for_each(|area| self.erase(area));
        frame.paths.iter().for_each(|path| self.stroke(path));
    }

    /// Whole pixels: what is cleared by half leaves a ghost. And a little more
    /// on each side, as far as strokes reach.
    pub fn erase(&self, area: &Rect) {
        let reach = REACH * self.weight;
        let down = |length: f64| (length * self.density).floor() / self.density;
        let up = |length: f64| (length * self.density).ceil() / self.density;
        let (x, y) = (down(f64::from(area.x) - reach), down(f64::from(area.y) - reach));
        let right = up(f64::from(area.x + area.width) + reach);
        let bottom = up(f64::from(area.y + area.height) + reach);
        self.context.clear_rect(x, y, right - x, bottom - y);
    }

    fn stroke(&self, path: &Path) {
        self.context.begin_path();
        for line in path.lines() {
            let Some((first, rest)) = line.split_first() else { continue };
            self.context.move_to(first.x.into(), first.y.into());
            let mut before = first;
            for (at, point) in rest.iter().enumerate() {
                let is_near = (point.x - before.x).abs() < FINEST && (point.y - before.y).abs() < FINEST;
                if !is_near || at + 1 == rest.len() {
                    self.context.line_to(point.x.into(), point.y.into());
                    before = point;
                }
            }
        }
        let ink = Ink::ALL.iter().position(|ink| *ink == path.look.ink).and_then(|at| self.inks.get(at));
        self.context.set_stroke_style_str(ink.map_or("", String::as_str));
        for stroke in STROKES {
            let dim = if path.look.is_dim { DIM } else { 1.0 };
            self.context.set_global_alpha(f64::from(stroke.opacity) * dim);
            self.context.set_line_width(f64::from(stroke.width) * self.weight);
            self.context.stroke();
        }
    }
}
