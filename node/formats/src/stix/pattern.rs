//! STIX patterns, as far as they say what an indicator is about: every comparison of an observable's property with a
//! constant. What a pattern says beyond that (orders of events, times, repetitions) is no part of an indicator here.

/// One comparison.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Comparison {
    /// The observable's type, such as `domain-name`.
    pub(crate) object: String,
    /// The path of the property, such as `value` or `hashes.SHA-256`, without quotes.
    pub(crate) path: String,
    /// The constants that it may be equal to; none where it is compared otherwise.
    pub(crate) values: Vec<String>,
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Word(String),
    Text(String),
    Sign(char),
}

/// The longest pattern that is read.
const PATTERN_BYTES: usize = 64 << 10;

/// All comparisons of a pattern; the error says what is wrong with it.
pub(crate) fn comparisons(pattern: &str) -> Result<Vec<Comparison>, String> {
    if pattern.len() > PATTERN_BYTES {
        return Err(format!("a pattern has at most {PATTERN_BYTES} bytes"));
    }
    let tokens = tokens(pattern)?;
    if !tokens.contains(&Token::Sign('[')) {
        return Err("it is no STIX pattern: it has no observation in brackets".to_owned());
    }
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        match path(&tokens, at) {
            Some((object, path, next)) => {
                let (values, next) = constants(&tokens, next);
                found.push(Comparison { object, path, values });
                at = next;
            }
            None => at += 1,
        }
    }
    if found.is_empty() { Err("it is no STIX pattern: it compares nothing".to_owned()) } else { Ok(found) }
}

/// `type:property.path`, and the place behind it.
fn path(tokens: &[Token], at: usize) -> Option<(String, String, usize)> {
    let Token::Word(object) = tokens.get(at)? else { return None };
    if tokens.get(at + 1)? != &Token::Sign(':') {
        return None;
    }
    let mut path = String::new();
    let mut next = at + 2;
    loop {
        match tokens.get(next)? {
            Token::Word(word) | Token::Text(word) => path.push_str(word),
            Token::Sign(_) => return None,
        }
        next += 1;
        // A list's index is no part of what is meant.
        while tokens.get(next) == Some(&Token::Sign('[')) {
            while tokens.get(next).is_some_and(|token| *token != Token::Sign(']')) {
                next += 1;
            }
            next += 1;
        }
        if tokens.get(next) != Some(&Token::Sign('.')) {
            return Some((object.clone(), path, next));
        }
        path.push('.');
        next += 1;
    }
}

/// The constants behind `=` or `IN`; nothing behind `NOT` and other comparisons.
fn constants(tokens: &[Token], at: usize) -> (Vec<String>, usize) {
    match tokens.get(at) {
        Some(Token::Sign('=')) => match tokens.get(at + 1) {
            Some(Token::Text(text) | Token::Word(text)) => (vec![text.clone()], at + 2),
            _ => (Vec::new(), at + 1),
        },
        Some(Token::Word(word)) if word.eq_ignore_ascii_case("IN") => {
            let list = tokens[at + 1..].iter().take_while(|token| **token != Token::Sign(')'));
            let texts = list.clone().filter_map(|token| match token {
                Token::Text(text) => Some(text.clone()),
                _ => None,
            });
            (texts.collect(), at + 1 + list.count())
        }
        _ => (Vec::new(), at + 1),
    }
}

fn tokens(pattern: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = pattern.chars().peekable();
    while let Some(first) = rest.next() {
        match first {
            '\'' => {
                let mut text = String::new();
                loop {
                    match rest.next() {
                        Some('\\') => text.extend(rest.next()),
                        Some('\'') => break,
                        Some(other) => text.push(other),
                        None => return Err("it is no STIX pattern: a text lacks its quotation mark".to_owned()),
                    }
                }
                tokens.push(Token::Text(text));
            }
            first if first.is_alphanumeric() || first == '_' || first == '-' => {
                let mut word = String::from(first);
                while let Some(next) = rest.next_if(|next| next.is_alphanumeric() || matches!(next, '_' | '-')) {
                    word.push(next);
                }
                tokens.push(Token::Word(word));
            }
            first if first.is_whitespace() => {}
            // `!=` is no `=`.
            '!' | '<' | '>' => {
                rest.next_if_eq(&'=');
                tokens.push(Token::Sign(first));
            }
            sign => tokens.push(Token::Sign(sign)),
        }
    }
    Ok(tokens)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pattern: &str) -> Vec<(String, Vec<String>)> {
        let found = comparisons(pattern).unwrap();
        found.into_iter().map(|found| (format!("{}:{}", found.object, found.path), found.values)).collect()
    }

    #[test]
    fn comparisons_are_found_wherever_they_stand() {
        let one = |path: &str, values: &[&str]| (path.to_owned(), values.iter().map(ToString::to_string).collect());
        assert_eq!(read("[ ipv4-addr:value = '10.0.0.0' ]"), [one("ipv4-addr:value", &["10.0.0.0"])]);
        assert_eq!(
            read(
                "[file:hashes.'SHA-256' = 'ab' AND file:name = 'it\\'s'] FOLLOWEDBY [url:value IN ('a', 'b')] WITHIN 5 SECONDS"
            ),
            [one("file:hashes.SHA-256", &["ab"]), one("file:name", &["it's"]), one("url:value", &["a", "b"])]
        );
        assert_eq!(
            read("[x:y != 'a' OR (x:z MATCHES 'b' OR x:list[*].v = 'c')]"),
            [one("x:y", &[]), one("x:z", &[]), one("x:list.v", &["c"])]
        );
        assert_eq!(read("[x:y NOT = 'a']"), [one("x:y", &[])]);
        for wrong in ["", "x", "[]", "[x:y = 'a", "rule foo { condition: true }"] {
            assert!(comparisons(wrong).is_err(), "{wrong}");
        }
    }
}
