//! A letter as data, with every sentence in one language.

use crate::Language;
use crate::names::{Name, Names, amount, as_without_record, signed};
use crate::reading::{Reading, Source, Standing};
use crate::words::Words;
use blindtier_policy::{self as policy, Answer, Code, Explanation, Finding};
use serde::Serialize;

/// What stands about a round in the public files and in the family's mail.
#[derive(Clone, Debug, Default)]
pub struct RoundFacts {
    /// The round's name.
    pub round: String,
    /// The family's slot.
    pub slot: u32,
    /// The ledger's head.
    pub head: String,
    /// What decided this slot anew, if something did.
    pub corrected: Option<Correction>,
    /// Why the tier was opened to the state, if it was.
    pub opened_to_state: Option<String>,
    /// What was wrong with mail that could be done without, in English.
    pub complaints: Vec<String>,
    /// Where and by when to object, in the words of whoever announced the round.
    pub objections: Option<String>,
}

/// The round and the slot in it that decided a slot anew.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Correction {
    /// The round's name.
    pub round: String,
    /// The slot there.
    pub slot: u32,
}

/// All that is said to a family (private to it).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Letter {
    /// The language of all sentences.
    pub language: Language,
    /// The policy's title; its identifier is the policy's name.
    pub policy: Name,
    /// The tier, or what there is in its place; its identifier is the tier's, or `opted_out`, `undecided`, `invalid`.
    pub result: Name,
    /// How the result stands to the values below.
    pub standing: Standing,
    /// All tiers, lowest first.
    pub tiers: Vec<Name>,
    /// What the family has to know before everything else.
    pub notices: Vec<Notice>,
    /// What is missing, if that is why there is no tier.
    pub missing: Vec<Missing>,
    /// What decided, if the values give the tier.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decided: Option<Decided>,
    /// How far other tiers are, if the values give the tier.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub distance: Option<Distance>,
    /// All values that do not decide alone.
    pub other_values: Vec<Fact>,
    /// How to object.
    pub objection: Objection,
    /// What to quote.
    pub quote: Quote,
}

/// Something that the family has to know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Notice {
    /// What about.
    pub kind: NoticeKind,
    /// The sentence.
    pub text: String,
    /// What it names, if it names something: it follows the sentence after a colon.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub about: Vec<Name>,
}

/// What a notice is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeKind {
    /// What the result means.
    Meaning,
    /// The result and the values do not fit.
    DoesNotHold,
    /// Another letter counts.
    Corrected,
    /// The tier was opened to the state.
    OpenedToState,
    /// Offices were left out of the round.
    LeftOut,
    /// Offices' letters are not there.
    Silent,
    /// Some mail was damaged.
    Complaint,
}

/// A value that is missing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Missing {
    /// Of what.
    pub indicator: Name,
    /// Whom to ask.
    pub agency: Name,
}

/// What decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Decided {
    /// The rule that set the tier, if one did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<Rule>,
    /// The policy's reasons that hold.
    pub reasons: Vec<Name>,
    /// The values of which another one alone would give another tier.
    pub values: Vec<Fact>,
}

/// A rule that set the tier.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rule {
    /// The rule.
    pub rule: Name,
    /// The tier before it.
    pub before: Name,
}

/// One value, and what it does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fact {
    /// Of what.
    pub indicator: Name,
    /// The value.
    pub value: Name,
    /// Whom to ask about it.
    pub agency: Name,
    /// Something about where it comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// What it adds to scores, if not 0.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub points: Vec<Points>,
    /// The closest other values that alone would give another tier.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub otherwise: Vec<Alternative>,
}

/// What a value adds to a score.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Points {
    /// The score.
    pub score: Name,
    /// A decimal number with its sign.
    pub points: String,
}

/// Another value, and the tier that it would give.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Alternative {
    /// The other value.
    pub value: Name,
    /// The tier.
    pub tier: Name,
}

/// How far other tiers are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Distance {
    /// In points, if a score decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score: Option<ScoreDistance>,
    /// The smallest change of one value that gives a higher tier.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub higher: Option<Change>,
    /// The smallest change of one value that gives a lower tier.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lower: Option<Change>,
}

/// How far the deciding score is from other tiers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ScoreDistance {
    /// The score.
    pub score: Name,
    /// The family's points, a decimal number.
    pub points: String,
    /// The points that lead to a tier above.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub more: Option<Gap>,
    /// The points that lead to a tier below.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fewer: Option<Gap>,
    /// Whether rules are applied afterwards, so that the tiers here are those before the rules.
    pub before_rules: bool,
}

/// Points to another tier.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Gap {
    /// A decimal number with its sign.
    pub points: String,
    /// The tier.
    pub tier: Name,
}

/// Another value of one indicator, and the tier that it would give.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Of what.
    pub indicator: Name,
    /// The value now.
    pub from: Name,
    /// The other value.
    pub to: Name,
    /// The tier.
    pub tier: Name,
}

/// How to object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Objection {
    /// What to do, in order.
    pub steps: Vec<String>,
    /// Where and by when.
    pub where_and_when: String,
}

/// What to quote in an objection, and what an auditor asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Quote {
    /// The round's name.
    pub round: String,
    /// The family's slot.
    pub slot: u32,
    /// The ledger's head.
    pub head: String,
    /// The policy's hash.
    pub policy_hash: String,
}

impl Letter {
    /// All that is said about a reading.
    pub fn new(reading: &Reading<'_>, facts: &RoundFacts, language: Language) -> Self {
        let writer = Writer {
            names: Names { policy: reading.policy, language },
            words: language.words(),
            reading,
        };
        let standing = reading.standing();
        let explanation = match standing {
            Standing::Explained => reading.policy.explain(&reading.values).ok(),
            _ => None,
        };
        let tiers = 0..reading.policy.tiers.len();
        let (decided, distance, other_values) = match &explanation {
            Some(found) => {
                let (decisive, others): (Vec<&Finding>, _) =
                    found.facts.iter().partition(|fact| fact.decisive());
                // What a register says comes before what it does not say.
                let (unrecorded, recorded): (Vec<&Finding>, Vec<&Finding>) =
                    decisive.into_iter().partition(|fact| fact.missing);
                let decisive = [recorded, unrecorded].concat();
                let facts =
                    |facts: Vec<&Finding>| facts.into_iter().map(|f| writer.fact(f)).collect();
                let decided = writer.decided(found, facts(decisive));
                (Some(decided), Some(writer.distance(found)), facts(others))
            }
            None => (None, None, writer.sealed_values()),
        };
        let default = || writer.words.as_announced.to_owned();
        Self {
            language,
            policy: writer.names.title(),
            result: writer.result(),
            standing,
            tiers: tiers.map(|tier| writer.names.tier(tier)).collect(),
            notices: writer.notices(standing, facts),
            missing: writer.missing(standing),
            decided,
            distance,
            other_values,
            objection: Objection {
                steps: writer.words.steps.map(str::to_owned).to_vec(),
                where_and_when: facts.objections.clone().unwrap_or_else(default),
            },
            quote: Quote {
                round: facts.round.clone(),
                slot: facts.slot,
                head: facts.head.clone(),
                policy_hash: reading.policy.hash().to_string(),
            },
        }
    }
}

struct Writer<'r> {
    names: Names<'r>,
    words: &'static Words,
    reading: &'r Reading<'r>,
}

impl Writer<'_> {
    fn result(&self) -> Name {
        let text = match (self.reading.code, self.reading.standing()) {
            (Code::Tier(tier), _) => return self.names.tier(tier),
            (_, Standing::OptedOut | Standing::OptedOutNotSealed) => self.words.opted_out,
            (_, Standing::Undecided) => self.words.undecided,
            _ => self.words.no_tier,
        };
        Name { id: Some(self.reading.id().to_owned()), ..Name::plain(text) }
    }

    fn notices(&self, standing: Standing, facts: &RoundFacts) -> Vec<Notice> {
        let (words, language) = (self.words, self.names.language);
        let mut notices = Vec::new();
        let mut say = |kind, text: &str, about: Vec<Name>| {
            notices.push(Notice { kind, text: text.to_owned(), about });
        };
        if let Some(there) = &facts.corrected {
            let (round, slot) = (
                format!("{} {}", words.round, there.round),
                format!("{} {}", words.slot, there.slot),
            );
            say(
                NoticeKind::Corrected,
                words.corrected,
                vec![Name::plain(round), Name::plain(slot)],
            );
        }
        match standing {
            Standing::Explained => {}
            Standing::DoesNotHold => {
                let given = self.reading.answer.as_ref();
                let text = if given.is_some() { words.does_not_hold } else { words.not_of_policy };
                say(NoticeKind::DoesNotHold, text, Vec::new());
                if let Some(given) = given {
                    let given = match given {
                        Answer::Tier(outcome) => self.names.tier(outcome.tier),
                        Answer::OptedOut => Name::plain(words.opted_out),
                        Answer::Undecided(_) => Name::plain(words.undecided),
                    };
                    say(NoticeKind::DoesNotHold, words.sealed_values_give, vec![given]);
                }
            }
            Standing::OptedOut => say(NoticeKind::Meaning, words.opted_out_means, Vec::new()),
            Standing::OptedOutNotSealed => {
                say(NoticeKind::DoesNotHold, words.opted_out_not_sealed, Vec::new());
            }
            Standing::Undecided => say(NoticeKind::Meaning, words.undecided_means, Vec::new()),
            Standing::NoTier => say(NoticeKind::DoesNotHold, words.no_tier_means, Vec::new()),
        }
        for (kind, text, state) in [
            (NoticeKind::LeftOut, words.left_out, Source::LeftOut),
            (NoticeKind::Silent, words.silent, Source::Silent),
        ] {
            let about: Vec<Name> =
                self.reading.agencies(state).map(|agency| self.names.agency(agency)).collect();
            if !about.is_empty() {
                say(kind, text, about);
            }
        }
        if let Some(reason) = &facts.opened_to_state {
            say(
                NoticeKind::OpenedToState,
                words.opened_to_state,
                vec![Name::plain(reason.clone())],
            );
        }
        for complaint in &facts.complaints {
            say(NoticeKind::Complaint, words.note, vec![Name::english(complaint, language)]);
        }
        notices
    }

    fn missing(&self, standing: Standing) -> Vec<Missing> {
        let (Standing::Undecided, Some(Answer::Undecided(unknown))) =
            (standing, &self.reading.answer)
        else {
            return Vec::new();
        };
        let indicators = &self.reading.policy.indicators;
        unknown
            .iter()
            .filter_map(|&position| {
                let agency = self.names.agency(indicators.get(position)?.agency);
                Some(Missing { indicator: self.names.indicator(position), agency })
            })
            .collect()
    }

    fn decided(&self, found: &Explanation, values: Vec<Fact>) -> Decided {
        let rule = found.outcome.decided_by;
        let rule = rule.and_then(|rule| self.reading.policy.overrides.get(rule));
        let before = || self.names.tier(found.outcome.decided);
        Decided {
            rule: rule.map(|rule| Rule { rule: self.names.rule(rule), before: before() }),
            reasons: found.outcome.reasons.iter().filter_map(|&r| self.names.reason(r)).collect(),
            values,
        }
    }

    fn distance(&self, found: &Explanation) -> Distance {
        Distance {
            score: found.margin.and_then(|margin| self.score_distance(margin)),
            higher: found.higher.map(|change| self.change(change)),
            lower: found.lower.map(|change| self.change(change)),
        }
    }

    fn score_distance(&self, margin: policy::Margin) -> Option<ScoreDistance> {
        let score = self.reading.policy.scores.get(margin.score)?;
        let gap = |gap: policy::Gap, side: i64| Gap {
            points: signed(score, gap.points.saturating_mul(side)),
            tier: self.names.tier(gap.tier),
        };
        let (more, fewer) = (margin.above.map(|g| gap(g, 1)), margin.below.map(|g| gap(g, -1)));
        Some(ScoreDistance {
            score: self.names.score(margin.score),
            points: amount(score, margin.value),
            before_rules: !self.reading.policy.overrides.is_empty()
                && (more.is_some() || fewer.is_some()),
            more,
            fewer,
        })
    }

    fn change(&self, change: policy::Change) -> Change {
        let value = |value| self.names.value(change.indicator, value);
        Change {
            indicator: self.names.indicator(change.indicator),
            from: value(change.from),
            to: value(change.to),
            tier: self.names.tier(change.tier),
        }
    }

    fn fact(&self, found: &Finding) -> Fact {
        let points = found.points.iter().filter(|points| points.amount != 0);
        let points = points.filter_map(|points| {
            let score = self.reading.policy.scores.get(points.score)?;
            let signed = signed(score, points.amount);
            Some(Points { score: self.names.score(points.score), points: signed })
        });
        let otherwise = [found.higher, found.lower].into_iter().flatten();
        let otherwise = otherwise.map(|change| Alternative {
            value: self.names.value(change.indicator, change.to),
            tier: self.names.tier(change.tier),
        });
        Fact {
            points: points.collect(),
            otherwise: otherwise.collect(),
            ..self.value(found.indicator, found.agency, found.value)
        }
    }

    fn value(&self, position: usize, agency: usize, value: i64) -> Fact {
        let missing = self.reading.policy.indicators.get(position);
        let missing = missing.is_some_and(|indicator| as_without_record(indicator, value));
        let note = match self.reading.from.get(agency) {
            Some(Source::LeftOut) => Some(self.words.value_left_out),
            Some(Source::Silent) => Some(self.words.value_silent),
            _ => missing.then_some(self.words.as_without_record),
        };
        Fact {
            indicator: self.names.indicator(position),
            value: self.names.value(position, value),
            agency: self.names.agency(agency),
            note: note.map(str::to_owned),
            points: Vec::new(),
            otherwise: Vec::new(),
        }
    }

    /// What offices say, where nothing could be explained with it. What stands in for an office that says nothing would
    /// read as if it had said it.
    fn sealed_values(&self) -> Vec<Fact> {
        let policy = self.reading.policy;
        let all = policy.indicators.iter().zip(&self.reading.values).enumerate();
        all.filter(|(_, (indicator, _))| {
            self.reading.from.get(indicator.agency) == Some(&Source::Sealed)
        })
        .map(|(position, (indicator, value))| self.value(position, indicator.agency, *value))
        .collect()
    }
}
