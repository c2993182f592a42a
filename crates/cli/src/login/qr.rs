//! A QR code on the terminal, out of half blocks: two modules a character.

use crate::output;
use anstyle::{Ansi256Color, Style};
use fast_qr::{ECL, QRBuilder};
use std::io;
use terminal_size::{Height, Width, terminal_size_of};

/// The text as a QR code, if standard error is a terminal with room for it.
pub fn for_terminal(text: &str) -> Option<String> {
    if !output::is_live() {
        return None;
    }
    let code = draw(text)?;
    let (width, height) = (code.lines().map(|line| line.chars().count()).max()?, code.lines().count());
    let has_room = terminal_size_of(io::stderr()).is_none_or(|(Width(columns), Height(rows))| {
        // Below the code are the lines that say what to do.
        width <= columns.into() && height.saturating_add(LINES_BELOW) <= rows.into()
    });
    let lines = code.lines().map(|line| format!("{SCREEN}{line}{SCREEN:#}"));
    has_room.then(|| lines.collect::<Vec<_>>().join("\n"))
}

/// Light modules are in the colour of the text, which is light on most terminals, also if colours are off.
fn draw(text: &str) -> Option<String> {
    // A screen does not get dirty, so the least correction is enough, and the code is as small as it can be.
    let code = QRBuilder::new(text).ecl(ECL::L).build().ok()?;
    let side = code.size.checked_add(QUIET.checked_mul(2)?)?;
    let is_light = |x: usize, y: usize| {
        let inside = |place: usize| place.checked_sub(QUIET).filter(|place| *place < code.size);
        let (Some(x), Some(y)) = (inside(x), inside(y)) else { return true };
        !code[y].get(x).is_some_and(|module| module.value())
    };
    let line = |y: usize| {
        let half = |x: usize| match (is_light(x, y), is_light(x, y + 1)) {
            (true, true) => '█',
            (true, false) => '▀',
            (false, true) => '▄',
            (false, false) => ' ',
        };
        (0..side).map(half).collect::<String>()
    };
    Some((0..side).step_by(2).map(line).collect::<Vec<_>>().join("\n"))
}

const LINES_BELOW: usize = 3;
/// The light frame that readers need (ISO/IEC 18004).
const QUIET: usize = 4;
/// White on black, whatever the terminal's own colours are.
const SCREEN: Style = Style::new()
    .fg_color(Some(anstyle::Color::Ansi256(Ansi256Color(231))))
    .bg_color(Some(anstyle::Color::Ansi256(Ansi256Color(16))));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_reads_it() {
        for text in [
            "https://as.example/device?user_code=WDJB-MJHT".to_owned(),
            format!("https://as.example/{}", "x".repeat(300)),
        ] {
            assert_eq!(read(&draw(&text).unwrap()), text);
        }
        assert_eq!(draw(&"x".repeat(4_000)), None, "no QR code is that large");
    }

    /// What a reader sees.
    fn read(code: &str) -> String {
        let lines: Vec<Vec<char>> = code.lines().map(|line| line.chars().collect()).collect();
        let is_light = |x: usize, y: usize| match lines[y / 2][x] {
            '█' => true,
            '▀' => y.is_multiple_of(2),
            '▄' => !y.is_multiple_of(2),
            other => {
                assert_eq!(other, ' ');
                false
            }
        };
        let scale = 4;
        let (width, height) = (lines[0].len() * scale, lines.len() * 2 * scale);
        let seen = |x: usize, y: usize| if is_light(x / scale, y / scale) { 255 } else { 0 };
        let mut image = rqrr::PreparedImage::prepare_from_greyscale(width, height, seen);
        let [grid] = &image.detect_grids()[..] else { panic!("not one code:\n{code}") };
        grid.decode().unwrap().1
    }
}
