//! A notice as chats want it: the line and the link. Names of tests come from
//! outside, so whatever a chat would take for markup or for a call to people
//! is said as it is written.

use crate::outgoing::notice::Notice;
use serde_json::{Value, json};

/// For an incoming webhook of Slack.
pub fn slack(notice: &Notice) -> Value {
    let plain = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    json!({ "text": format!("{} <{}|Open>", plain(&notice.text), plain(&notice.url)), "unfurl_links": false })
}

/// For a workflow of Teams that takes adaptive cards.
pub fn teams(notice: &Notice) -> Value {
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                "type": "AdaptiveCard",
                "version": "1.4",
                "body": [{ "type": "TextBlock", "text": without_markdown(&notice.text), "wrap": true }],
                "actions": [{ "type": "Action.OpenUrl", "title": "Open", "url": notice.url }],
            },
        }],
    })
}

/// For an incoming webhook of Mattermost.
pub fn mattermost(notice: &Notice) -> Value {
    json!({ "username": "Holter", "text": format!("{} [Open]({})", without_markdown(&notice.text), notice.url) })
}

/// Text whose marks stay marks, and whose `@` calls nobody: a zero-width space
/// stands behind it.
fn without_markdown(text: &str) -> String {
    let mut plain = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if "\\`*_[]()#~>|!<".contains(c) {
            plain.push('\\');
        }
        plain.push(c);
        if c == '@' {
            plain.push('\u{200b}');
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn notice(text: &str) -> Notice {
        Notice {
            id: Uuid::from_u128(1),
            at: String::new(),
            text: text.into(),
            url: "https://holter.example/tests/1".into(),
            changes: Vec::new(),
            more: 0,
            is_test: false,
        }
    }

    #[test]
    fn each_chat_gets_the_line_and_the_link() {
        let plain = notice("opens began to fail");
        assert_eq!(slack(&plain)["text"], "opens began to fail <https://holter.example/tests/1|Open>");
        assert_eq!(mattermost(&plain)["text"], "opens began to fail [Open](https://holter.example/tests/1)");
        let card = &teams(&plain)["attachments"][0]["content"];
        assert_eq!(card["body"][0]["text"], "opens began to fail");
        assert_eq!(card["actions"][0]["url"], "https://holter.example/tests/1");
    }

    #[test]
    fn a_name_calls_nobody_and_links_nowhere() {
        let odd = notice("<!channel> @all [x](https://evil.example) failed");
        let (slack, mattermost, teams) = (slack(&odd), mattermost(&odd), teams(&odd));
        assert!(slack["text"].as_str().is_some_and(|text| text.starts_with("&lt;!channel&gt; @all [x]")));
        let said = mattermost["text"].as_str().expect("text");
        assert!(said.contains("@\u{200b}all \\[x\\]\\(https"), "{said}");
        assert!(
            teams["attachments"][0]["content"]["body"][0]["text"].as_str().is_some_and(|text| !text.contains("[x]("))
        );
    }
}
