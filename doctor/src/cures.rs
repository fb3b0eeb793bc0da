//! What to do about each reason, in a sentence: the cures of docs/reasons.md. `DOORWARD_WRITE=1 cargo
//! test -p doorward-doctor cures` writes `cures.txt` anew.

use doorward::Reason;

/// A line for each reason: its code, and the cure, in Markdown.
const CURES: &str = include_str!("cures.txt");

/// What to do about a reason.
pub(crate) fn of(reason: Reason) -> &'static str {
    let cure = |line: &'static str| line.strip_prefix(reason.code())?.strip_prefix(": ");
    CURES.lines().find_map(cure).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_has_the_cure_of_the_page() {
        let page = include_str!("../../docs/reasons.md");
        let mut cures = String::new();
        for section in page.split("\n### ").skip(1) {
            let code = section.lines().next().unwrap_or_default();
            let Some((_, cure)) = section.split_once("**Cure:** ") else { continue };
            let cure = cure.split("\n\n").next().unwrap_or_default();
            let words = cure.split_whitespace().collect::<Vec<_>>().join(" ");
            // What a list follows is left out with the list.
            let whole = match words.rsplit_once(". ") {
                Some((before, list)) if list.ends_with(':') => [before, "."].concat(),
                _ => words,
            };
            cures.push_str(&format!("{code}: {}\n", whole.trim_end_matches(':')));
        }
        if std::env::var_os("DOORWARD_WRITE").is_some() {
            let file = concat!(env!("CARGO_MANIFEST_DIR"), "/src/cures.txt");
            std::fs::write(file, &cures).unwrap_or_else(|error| panic!("{error}"));
        }
        println!("{} cures", cures.lines().count());
        assert!(
            cures == CURES,
            "src/cures.txt is out of date; the head of this file says what to do"
        );
        assert!(Reason::ALL.iter().all(|reason| !of(*reason).is_empty()));
    }
}
