//! The same said otherwise.

/// A field of a query with each letter and digit escaped; left as it is where it has escapes already.
#[must_use]
pub fn escape_field(field: &str) -> String {
    if field.contains('%') {
        return field.to_owned();
    }
    let escape = |letter: char| match letter {
        letter if letter.is_ascii_alphanumeric() => format!("%{:02x}", u32::from(letter)),
        letter => letter.to_string(),
    };
    field.chars().map(escape).collect()
}

/// JSON with each letter and digit of its strings escaped, and white space around what stands between them.
#[must_use]
pub fn respell_json(body: &str) -> String {
    let mut respelled = String::from("\u{feff}");
    let (mut in_string, mut letters) = (false, body.strip_prefix('\u{feff}').unwrap_or(body).chars());
    while let Some(letter) = letters.next() {
        match letter {
            '"' => in_string = !in_string,
            '\\' if in_string => {
                let unit = if letters.as_str().starts_with('u') { 5 } else { 1 };
                respelled.push(letter);
                respelled.extend(letters.by_ref().take(unit));
                continue;
            }
            letter if in_string && letter.is_ascii_alphanumeric() => {
                respelled.push_str(&format!("\\u{:04X}", u32::from(letter)));
                continue;
            }
            '{' | '}' | '[' | ']' | ',' | ':' if !in_string => {
                respelled.extend([' ', letter, '\n']);
                continue;
            }
            _ => {}
        }
        respelled.push(letter);
    }
    respelled
}

/// A text as a quoted string of an HTTP header field (RFC 9110 section 5.6.4).
#[must_use]
pub fn quote(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
