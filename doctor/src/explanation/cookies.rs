//! The cookies of a request by themselves: what each is, how often it is there, and whether it fits
//! where it has to go.

use serde_json::{Value, json};

use crate::cookie_file::pairs;

/// A browser keeps no larger cookie (RFC 6265 section 6.1).
const MAX_COOKIE_BYTES: usize = 4_096;
/// Limits that a whole `Cookie` header meets on its way.
const LIMITS: [(usize, &str); 3] = [
    (4_096, "some proxies and functions"),
    (8_192, "nginx and Apache as they come"),
    (16_384, "Node, with all other headers"),
];

/// One name.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) bytes: usize,
    pub(crate) copies: usize,
    /// The copies differ.
    pub(crate) differ: bool,
    pub(crate) role: &'static str,
}

/// A name as it can be shown: those of the multi-session plugin have the session's token in them.
pub(crate) fn shown_name(name: &str) -> String {
    const MULTI: &str = "_multi-";
    match name.split_once(MULTI) {
        Some((before, _)) => [before, MULTI, "x"].concat(),
        None => name.to_owned(),
    }
}

/// A row for each name, in order.
pub(crate) fn rows(header: &str) -> Vec<Row> {
    let mut rows: Vec<(Row, (&str, &str))> = Vec::new();
    for (name, value) in pairs(header) {
        let bytes = name.len().saturating_add(value.len()).saturating_add(1);
        if let Some((row, (_, first))) = rows.iter_mut().find(|(_, (own, _))| *own == name) {
            row.copies = row.copies.saturating_add(1);
            row.bytes = row.bytes.max(bytes);
            row.differ |= *first != value;
            continue;
        }
        let row = Row { name: shown_name(name), bytes, copies: 1, differ: false, role: role(name) };
        rows.push((row, (name, value)));
    }
    rows.into_iter().map(|(row, _)| row).collect()
}

fn role(name: &str) -> &'static str {
    let ends = |end: &str| name.ends_with(end);
    let chunk = name.rsplit_once('.').filter(|(_, number)| number.parse::<u16>().is_ok());
    if let Some((before, _)) = chunk {
        return if before.ends_with("session_data") { "a chunk of the cookie cache" } else { "" };
    }
    if ends("session_token") {
        "the session"
    } else if ends("session_data") {
        "the cookie cache"
    } else if ends("dont_remember") {
        "the session ends with the browser"
    } else if ends("two_factor") {
        "a sign-in that waits for a second factor"
    } else {
        ""
    }
}

/// What is odd about one.
pub(crate) fn remark(row: &Row) -> String {
    let mut remarks = Vec::new();
    if row.copies > 1 {
        let differ = if row.differ { ", and they differ" } else { "" };
        remarks.push(format!("{} of one name{differ}: the first counts", row.copies));
    }
    if row.bytes > MAX_COOKIE_BYTES {
        remarks.push("browsers keep none of more than 4096 bytes".to_owned());
    }
    remarks.join("; ")
}

pub(crate) fn json(header: &str) -> Value {
    let rows = rows(header).into_iter().map(|row| {
        json!({
            "name": row.name,
            "bytes": row.bytes,
            "copies": row.copies,
            "role": row.role,
            "remark": remark(&row),
        })
    });
    let limits = LIMITS.iter().map(
        |(bytes, who)| json!({ "bytes": bytes, "who": who, "is_over": header.len() > *bytes }),
    );
    json!({
        "bytes": header.len(),
        "rows": rows.collect::<Vec<_>>(),
        "limits": limits.collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_are_counted_by_name() {
        let large = format!("b={}", "x".repeat(5_000));
        let multi = "a.session_token_multi-ab=3; a.session_token_multi-cd=4";
        let rows = rows(&format!(
            "a.session_token=1; a.session_token=2; {large}; a.session_data.0=z; {multi}"
        ));
        let found: Vec<_> =
            rows.iter().map(|row| (row.name.as_str(), row.copies, row.role, remark(row))).collect();
        assert_eq!(
            found,
            [
                (
                    "a.session_token",
                    2,
                    "the session",
                    "2 of one name, and they differ: the first counts".to_owned()
                ),
                ("b", 1, "", "browsers keep none of more than 4096 bytes".to_owned()),
                ("a.session_data.0", 1, "a chunk of the cookie cache", String::new()),
                ("a.session_token_multi-x", 1, "", String::new()),
                ("a.session_token_multi-x", 1, "", String::new()),
            ]
        );
        let limits = json(&large);
        let is_over = |place: &str| limits.pointer(place).and_then(Value::as_bool);
        assert_eq!(is_over("/limits/0/is_over"), Some(true));
        assert_eq!(is_over("/limits/1/is_over"), Some(false));
    }
}
