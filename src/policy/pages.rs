//! How the gate's own pages look.

use std::borrow::Cow;

/// How the gate's own pages look.
#[derive(Debug)]
pub(crate) struct Pages {
    /// The name of the site.
    pub(crate) name: Option<String>,
    /// The color of the button.
    pub(crate) accent: Option<Accent>,
    /// The path at which visitors start again.
    pub(crate) home: Cow<'static, str>,
    /// By status, the pages of the application that stand in for the gate's.
    pub(crate) own: Vec<OwnPage>,
}

/// A page of the application that stands in for the gate's.
#[derive(Debug)]
pub(crate) struct OwnPage {
    pub(crate) status: u16,
    pub(crate) path: String,
    pub(crate) segments: Vec<String>,
}

impl Pages {
    /// Where nothing is configured.
    pub(crate) const NONE: Self =
        Self { name: None, accent: None, home: Cow::Borrowed("/"), own: Vec::new() };

    /// The page of the application for refusals with this status.
    pub(crate) fn own(&self, status: u16) -> Option<&OwnPage> {
        self.own.iter().find(|page| page.status == status)
    }

    /// CSS for the button: in the colors of the page, exchanged, where there is no accent.
    pub(crate) fn button(&self) -> String {
        match &self.accent {
            Some(Accent { color, on_color }) => {
                ["background:", color, ";color:", on_color].concat()
            }
            None => "background:CanvasText;color:Canvas".to_owned(),
        }
    }
}

/// A color, and the one of black and white that can be read on it.
#[derive(Debug)]
pub(crate) struct Accent {
    color: String,
    on_color: &'static str,
}

impl Accent {
    /// A color as CSS has it: `#rgb` or `#rrggbb`.
    pub(crate) fn new(color: &str) -> Option<Self> {
        let digits = color.strip_prefix('#')?;
        let digits = match digits.len() {
            3 => digits.chars().flat_map(|digit| [digit, digit]).collect(),
            _ => digits.to_owned(),
        };
        let is_color = digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        let [_, red, green, blue] = u32::from_str_radix(&digits, 16).ok()?.to_be_bytes();
        let on_color = if is_light([red, green, blue]) { "#000" } else { "#fff" };
        is_color.then(|| Self { color: color.to_owned(), on_color })
    }
}

/// Whether black has more contrast with a color than white, by the relative luminance of WCAG 2.2:
/// the better one of the two has a contrast ratio of at least 4.5 with every color.
fn is_light([red, green, blue]: [u8; 3]) -> bool {
    // The transfer function of sRGB, by a polynomial that is near enough.
    let linear = |part: u8| {
        let part = f64::from(part) / 255.0;
        part * (part * (part * 0.305_306 + 0.682_171) + 0.012_523)
    };
    0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue) > 0.179
}

#[cfg(test)]
mod tests {
    use super::*;

    /// WCAG 2.2, "contrast ratio" and "relative luminance".
    fn contrast_with(on_color: &str, rgb: [u8; 3]) -> f64 {
        let linear = |part: u8| {
            let part = f64::from(part) / 255.0;
            if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        };
        let [red, green, blue] = rgb.map(linear);
        let luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
        if on_color == "#fff" { 1.05 / (luminance + 0.05) } else { (luminance + 0.05) / 0.05 }
    }

    #[test]
    fn the_label_of_the_button_can_be_read_on_every_color() {
        let steps = || (0..=255).step_by(15);
        let colors = steps().flat_map(|red| {
            steps().flat_map(move |green| steps().map(move |blue| [red, green, blue]))
        });
        for rgb @ [red, green, blue] in colors.chain((0..=255).map(|gray| [gray; 3])) {
            let color = format!("#{red:02x}{green:02x}{blue:02x}");
            let on_color = Accent::new(&color).map(|accent| accent.on_color).unwrap_or_default();
            assert!(contrast_with(on_color, rgb) >= 4.5, "{on_color} on {color}");
        }
    }

    #[test]
    fn a_color_is_hexadecimal() {
        assert!(Accent::new("#0a7").is_some_and(|accent| accent.on_color == "#000"));
        assert!(Accent::new("#A00730").is_some_and(|accent| accent.on_color == "#fff"));
        for wrong in
            ["", "#", "0a7", "#0a", "#0a77", "#0g7", "#+a7", "#é7", "red", "#0a7;", "#00aa7700"]
        {
            assert!(Accent::new(wrong).is_none(), "{wrong}");
        }
    }
}
