//! The sound of a monitor: a continuous tone while the line is flat.

use web_sys::{AudioContext, GainNode, OscillatorNode};

/// As a bedside monitor's.
const PITCH: f32 = 480.0;

const LOUDNESS: f32 = 0.08;

/// A tone that is there, and mostly silent.
pub struct Tone {
    context: AudioContext,
    level: GainNode,
    source: OscillatorNode,
}

impl Tone {
    /// A silent tone; none where the browser has no sound.
    pub fn new() -> Option<Self> {
        let context = AudioContext::new().ok()?;
        let (level, source) = (context.create_gain().ok()?, context.create_oscillator().ok()?);
        level.gain().set_value(0.0);
        source.frequency().set_value(PITCH);
        source.connect_with_audio_node(&level).ok()?;
        level.connect_with_audio_node(&context.destination()).ok()?;
        source.start().ok()?;
        Some(Self { context, level, source })
    }

    /// Lets it sound, or not; faded, since a switched tone clicks.
    pub fn is_flat(&self, is_flat: bool) {
        let target = if is_flat { LOUDNESS } else { 0.0 };
        // Fails only for a time that is none.
        let _ = self.level.gain().set_target_at_time(target, self.context.current_time(), 0.02);
    }
}

impl Drop for Tone {
    fn drop(&mut self) {
        // Either may have ended already.
        let _ = self.source.stop();
        let _ = self.context.close();
    }
}
