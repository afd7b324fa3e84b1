//! {{name}}: counts votes.
//!
//! The configuration is the list of choices, separated by spaces. Inputs: "vote CHOICE", "result".

use theater_actor::{actor, reject, Actor, Result, State};

struct Poll {
    choices: Vec<(String, u64)>,
}

impl Actor for Poll {
    /// Makes the first state.
    fn init(config: &[u8]) -> Result<Self> {
        let text = std::str::from_utf8(config)?;
        let choices: Vec<_> = text.split_whitespace().map(|choice| (choice.to_string(), 0)).collect();
        if choices.is_empty() {
            reject!("no choice is configured");
        }
        Ok(Poll { choices })
    }

    /// One turn: changes the state and gives the output. After an error the state stays as it was.
    fn handle(&mut self, input: &[u8]) -> Result<Vec<u8>> {
        let text = std::str::from_utf8(input)?;
        if text == "result" {
            let counts: Vec<_> = self.choices.iter().map(|(choice, votes)| format!("{choice}={votes}")).collect();
            return Ok(counts.join(" ").into_bytes());
        }
        let Some(choice) = text.strip_prefix("vote ") else { reject!("say: vote CHOICE, or: result") };
        let Some((_, votes)) = self.choices.iter_mut().find(|(name, _)| name == choice) else {
            reject!("there is no such choice")
        };
        *votes += 1;
        Ok(votes.to_string().into_bytes())
    }

    /// Asked of every new state before it is kept: a turn whose state is not valid is rejected.
    fn verify(&self) -> bool {
        !self.choices.is_empty()
    }
}

/// The state, which is all that the actor remembers: a line for each choice. With the feature `serde` of theater-actor, a derived type and
/// `actor!(Poll, Json)` take the place of this.
impl State for Poll {
    fn decode(state: Vec<u8>) -> Option<Self> {
        let mut choices = Vec::new();
        for line in std::str::from_utf8(&state).ok()?.lines() {
            let (choice, votes) = line.split_once(' ')?;
            choices.push((choice.to_string(), votes.parse().ok()?));
        }
        Some(Poll { choices })
    }

    fn encode(self) -> Vec<u8> {
        self.choices.iter().map(|(choice, votes)| format!("{choice} {votes}\n")).collect::<String>().into_bytes()
    }
}

actor!(Poll);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vote_counts() {
        let mut poll = Poll::init(b"tea coffee").unwrap();
        assert_eq!(poll.handle(b"vote tea").unwrap(), b"1");
        assert!(poll.handle(b"vote wine").is_err());
        assert_eq!(poll.handle(b"result").unwrap(), b"tea=1 coffee=0");
    }
}
