//! Where strips stand, and at which scale they are drawn.

use crate::ecg::draw::{Rect, Scale};

/// Room for beats above and below the baseline, in millimetres of paper.
const HEIGHT_MM: f32 = 23.0;

/// The least that is shown of time.
const SECONDS_AT_LEAST: f32 = 3.5;

/// Paper is not printed finer than this, px per millimetre.
const FINEST: f32 = 1.2;

/// Nor coarser: across a room nobody needs more.
const COARSEST: f32 = 9.0;

/// What a still strip shows.
const STILL_SECONDS: f32 = 10.0;

/// The scale of strips of this size: paper of true proportions that fills the
/// height, unless that would leave too little time to see.
pub(super) fn paper(width: f32, height: f32) -> Scale {
    let by_height = height / HEIGHT_MM;
    let by_width = width / (25.0 * SECONDS_AT_LEAST);
    Scale::fitting(by_height.min(by_width).clamp(FINEST, COARSEST), height)
}

/// The same height with as much time as a still strip shows.
pub(super) fn still_paper(width: f32, height: f32) -> Scale {
    Scale { px_per_second: width / STILL_SECONDS, ..paper(width, height) }
}

/// How heavy strokes are at a scale: 1 on the paper of a small screen.
#[cfg(feature = "hydrate")]
pub(super) fn weight(scale: &Scale) -> f32 {
    (scale.px_per_mv / 32.0).clamp(0.8, 1.6)
}

/// The smallest rectangle around others.
pub(super) fn around(rects: impl Iterator<Item = Rect>) -> Option<Rect> {
    rects.reduce(|a, b| {
        let (x, y) = (a.x.min(b.x), a.y.min(b.y));
        let (right, bottom) = ((a.x + a.width).max(b.x + b.width), (a.y + a.height).max(b.y + b.height));
        Rect { x, y, width: right - x, height: bottom - y }
    })
}

/// Whether two stretches from top to bottom meet.
pub(super) fn meets(rect: &Rect, top: f32, bottom: f32) -> bool {
    rect.y < bottom && rect.y + rect.height > top
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strip_shows_a_few_seconds_at_any_size() {
        for (width, height) in [(120.0, 24.0), (200.0, 36.0), (460.0, 80.0), (900.0, 220.0), (1_300.0, 150.0)] {
            let scale = paper(width, height);
            let seconds = width / scale.px_per_second;
            assert!((3.4..12.0).contains(&seconds), "{width}x{height}: {seconds} s");
            assert!(scale.px_per_mv * 2.3 <= height + 0.01, "{width}x{height}: beats do not fit");
        }
        assert!((still_paper(400.0, 60.0).px_per_second - 40.0).abs() < 1e-3);
    }

    #[test]
    fn the_canvas_is_as_large_as_what_is_near() {
        let rect = |x, y| Rect { x, y, width: 10.0, height: 5.0 };
        assert_eq!(
            around([rect(0.0, 0.0), rect(30.0, 20.0)].into_iter()),
            Some(Rect { x: 0.0, y: 0.0, width: 40.0, height: 25.0 })
        );
        assert!(meets(&rect(0.0, 8.0), 0.0, 9.0) && !meets(&rect(0.0, 9.0), 0.0, 9.0));
    }
}
