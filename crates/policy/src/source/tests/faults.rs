//! Every kind of fault with its message and place.

use super::{faults, with};

/// What to replace, by what, and the fault expected.
const FAULTS: &[(&str, &str, &str)] = &[
    (
        "blindtier = \"1\"",
        "blindtier = \"2\"",
        "1:13 version \"2\" of the language is not known / the first line of a policy is: blindtier = \"1\"",
    ),
    (
        "blindtier = \"1\"\n",
        "",
        "1:1 the policy lacks `blindtier` / the first line of a policy is: blindtier = \"1\"",
    ),
    (
        "name = \"example\"",
        "name = \"Ex ample\"",
        "2:8 \"Ex ample\" cannot name a policy / a short name of small letters, digits and hyphens: name = \"family-card\"",
    ),
    (
        "name = \"example\"",
        "name = 3",
        "2:8 `name` should be a text in quotes, not a TOML integer / write a text in quotes",
    ),
    (
        "ru = \"Пример\"",
        "russian = \"Пример\"",
        "3:27 `russian` is not a language tag / write a text, or one per language: { en = \"Low\", kk = \"Төмен\" }",
    ),
    (
        "[\"low\", \"middle\", \"high\"]\n[agencies]",
        "[\"low\"]\n[agencies]",
        "4:9 `tiers` names 1; there must be 2 to 13 / write [\"low\", \"high\"] or [{ id = \"low\", label = { en = \"Low\" } }, …]",
    ),
    (
        "[\"low\", \"middle\", \"high\"]\n[agencies]",
        "[\"low\", \"middle\", \"high\", \"low\"]\n[agencies]",
        "4:35 `low` stands twice in `tiers` / every class needs an identifier of its own",
    ),
    (
        "[\"low\", \"middle\", \"high\"]\n[agencies]",
        "[\"low\", \"middle\", \"high\", \"invalid\"]\n[agencies]",
        "4:35 no tier may be called `invalid` / opted out, undecided and invalid are results of their own",
    ),
    (
        "land = {}",
        "land = {}\nregistrar = {}",
        "8:1 no agency may be called `registrar` / the registrar of a round is a party of its own",
    ),
    (
        "[agencies]",
        "[agensies]",
        "1:1 the policy lacks `agencies` / name at least one agency: [agencies.tax]\n5:2 the policy has no key `agensies` / did you mean `agencies`?",
    ),
    (
        "land = {}",
        "land = {}\nmoon = {}",
        "8:1 agency `moon` holds no indicator / give it an indicator or drop it",
    ),
    (
        "aggregate = \"sum\"\nper",
        "agregate = \"sum\"\nper",
        "10:1 indicator `income` has no key `agregate` / did you mean `aggregate`?",
    ),
    (
        "aggregate = \"sum\"\nper",
        "aggregate = \"some\"\nper",
        "10:13 `aggregate` cannot be \"some\" / did you mean `sum`?",
    ),
    (
        "agency = \"land\"\nlevels",
        "agency = \"lnad\"\nlevels",
        "20:10 no agency is called `lnad` / did you mean `land`?",
    ),
    (
        "[indicators.loan]",
        "[indicators.any]",
        "14:13 `any` is a reserved word / choose another name, such as `any_1`; reserved are any, all, not, of, at_least, at_most, exactly, opt_out, id, family, person\n33:20 nothing is called `loan` / known here: `any`, `burden`, `home`, `income`, `means`, `support`\n50:10 nothing is called `loan` / known here: `any`, `burden`, `home`, `income`, `means`, `support`\n53:18 nothing is called `loan` / known here: `any`, `burden`, `home`, `income`, `means`, `support`",
    ),
    (
        "[indicators.loan]",
        "[indicators.Loan]",
        "14:13 `Loan` cannot name this indicator / use small letters, digits and underscores, a letter first, at most 64: income_per_head\n33:20 nothing is called `loan` / did you mean `Loan`?\n50:10 nothing is called `loan` / did you mean `Loan`?\n53:18 nothing is called `loan` / did you mean `Loan`?",
    ),
    (
        "[concepts.burden]",
        "[concepts.loan]",
        "32:11 the name `loan` is taken already / indicators, concepts, scores and cuts share one name space; rename one of the two\n40:8 nothing is called `burden` / known here: `home`, `income`, `loan`, `means`, `support`\n53:94 nothing is called `burden` / known here: `home`, `income`, `loan`, `means`, `support`",
    ),
    (
        "[cuts.support]",
        "[cuts.points]",
        "42:7 the name `points` is taken already / indicators, concepts, scores and cuts share one name space; rename one of the two\n47:8 nothing is called `support` / known here: `burden`, `home`, `income`, `loan`, `means`",
    ),
    (
        "from = 0.25, below",
        "from = 0.3, below",
        "12:44 numbers from 0.25 to below 0.3 fall between two bands / start this band where the one before ends: from = 0.25",
    ),
    (
        "from = 0.25, below",
        "from = 0.2, below",
        "12:44 this band starts at 0.2, inside the one before, which ends below 0.25 / start this band where the one before ends: from = 0.25",
    ),
    (
        "from = 0.25, below = 1",
        "from = 0.25",
        "12:44 this band lacks `below`, but another follows / only the last band may go up without end; say where it stops: below = …",
    ),
    (
        "from = 0.25, below",
        "below",
        "12:44 this band lacks `from`, but another precedes / only the first band may go down without end; say where it starts: from = …",
    ),
    (
        "from = 0.25, below = 1",
        "from = 0.25, below = 0.1",
        "12:44 the band from 0.25 to below 0.1 is empty / `from` is smaller than `below`\n12:90 numbers from 0.1 to below 1 fall between two bands / start this band where the one before ends: from = 0.1",
    ),
    (
        "below = 0.25",
        "below = 1e3",
        "12:36 `below`: `1e3` is not a plain decimal number / write it out in at most 18 digits, without an exponent",
    ),
    (
        "below = 0.25",
        "below = inf",
        "12:36 `below`: `inf` is not a plain decimal number / write it out in at most 18 digits, without an exponent",
    ),
    (
        "below = 0.25",
        "below = 0x10",
        "12:36 `below` should be a decimal number such as 12 or -0.25, not a TOML integer / write a decimal number such as 12 or -0.25",
    ),
    (
        "below = 0.25",
        "below = 1234567890.1234567890",
        "12:36 `below`: `1234567890.1234567890` is a number of more than 18 digits / write it out in at most 18 digits, without an exponent",
    ),
    (
        "missing = \"none\"\n[indicators.loan]",
        "missing = \"nothing\"\n[indicators.loan]",
        "13:11 indicator `income` has no class `nothing` / known here: `none`, `some`, `much`",
    ),
    (
        "missing = \"none\"\n[indicators.loan]",
        "[indicators.loan]",
        "8:13 indicator `income` lacks `missing` / name the level of a family that the register does not know, missing = \"none\", or write missing = \"undecided\" if its tier cannot be decided then",
    ),
    (
        "\"rented\", \"none\"]\ncategories = { owned = [\"owned\", \"own\"] }\nmissing = \"none\"",
        "\"rented\", \"none\", \"undecided\"]\ncategories = { owned = [\"owned\", \"own\"] }\nmissing = \"undecided\"",
        "23:11 `missing = \"undecided\"` says that the tier is not decided, but a level has this name / give the level another name",
    ),
    (
        "levels = [\"owned\", \"rented\", \"none\"]",
        "",
        "19:13 indicator `home` does not say what values it takes / give `bands`, `levels` or `integer`",
    ),
    (
        "[\"owned\", \"own\"]",
        "[\"owned\", \"rented\"]",
        "22:34 the text \"rented\" belongs to both `owned` and `rented` / every text of the register has one level",
    ),
    (
        "[\"owned\", \"own\"]",
        "[\"owned\", \"owned\"]",
        "22:34 a category names \"owned\" twice / name it once",
    ),
    (
        "missing = 0",
        "missing = 101",
        "27:59 `missing` 101 is out of range / a family that the register does not know has some value from 0 to 100",
    ),
    (
        "min = 0",
        "min = 100",
        "27:30 `max` 100 is not above `min` 100 / the largest value comes second",
    ),
    (
        "matches = [\"1\", \"open\"]",
        "levels = [\"no\", \"yes\", \"maybe\"]",
        "17:10 `levels` names 3; there must be 2 / write [\"low\", \"high\"] or [{ id = \"low\", label = { en = \"Low\" } }, …]",
    ),
    (
        "matches = [\"1\", \"open\"]",
        "per = \"persons\"",
        "17:1 `per` divides a number, and the quotient falls into bands / give `bands` of the quotient, or drop `per`",
    ),
    (
        "categories =",
        "matches = [\"x\"]\ncategories =",
        "22:1 `matches` only goes with any, all and count / say aggregate = \"any\", \"all\" or \"count\", or drop `matches`",
    ),
    (
        "categories =",
        "columns = [\"a\", \"b\"]\ncategories =",
        "22:1 only numbers of several columns can be added / name one column, or take bands or an integer of sum, min, max or first",
    ),
    (
        "categories =",
        "column = \"a\"\ncolumns = [\"b\"]\ncategories =",
        "23:1 `column` and `columns` exclude each other / keep one of the two\n23:1 only numbers of several columns can be added / name one column, or take bands or an integer of sum, min, max or first",
    ),
    (
        "inputs = [\"income\", \"home\"]",
        "inputs = [\"income\", \"hose\"]",
        "29:21 nothing is called `hose` / did you mean `home`?",
    ),
    (
        "inputs = [\"income\", \"home\"]",
        "inputs = [\"income\", \"rent\"]",
        "29:21 `rent` is an integer and has no classes / weigh it in a score, cut the score, and refer to the cut",
    ),
    (
        "inputs = [\"income\", \"home\"]",
        "inputs = [\"income\", \"points\"]",
        "29:21 `points` is a score and has no classes / cut the score into classes and refer to the cut",
    ),
    (
        "inputs = [\"income\", \"home\"]",
        "inputs = [\"income\", \"income\"]",
        "29:21 `inputs` names \"income\" twice / name it once",
    ),
    (
        ", { then = \"bad\" }]",
        "]",
        "31:9 no rule matches { income = \"none\", home = \"owned\" } and 6 more combinations / end with a rule for all the rest: { then = \"…\" }",
    ),
    (
        ", { then = \"bad\" }]",
        ", { then = \"bad\" }, { then = \"good\" }]",
        "31:101 rule 3 is never reached / the rules before it match all that it matches; move it up or drop it",
    ),
    (
        ", { then = \"bad\" }]",
        ", { then = \"worse\" }]",
        "31:92 this concept has no class `worse` / known here: `good`, `bad`",
    ),
    (
        "home = \"owned\" }, then",
        "home = \"bought\" }, then",
        "31:55 `home` has no class `bought` / known here: `owned`, `rented`, `none`",
    ),
    (
        "home = \"owned\" }, then",
        "loan = \"yes\" }, then",
        "31:48 `loan` is not among the inputs of this table / known here: `income`, `home`",
    ),
    (
        "[[\"light\", \"heavy\"], [\"heavy\", \"heavy\"]]",
        "[[\"light\", \"heavy\"]]",
        "35:8 `means` has 2 classes, but this list has 1 / one entry for each of `good`, `bad`",
    ),
    (
        "[[\"light\", \"heavy\"], [\"heavy\", \"heavy\"]]",
        "[[\"light\", \"heavy\"], \"heavy\"]",
        "35:29 the part of `grid` for `loan` should be a list in square brackets, not a TOML string / write a list in square brackets",
    ),
    (
        "[[\"light\", \"heavy\"], [\"heavy\", \"heavy\"]]",
        "[[\"light\", \"heavy\"], [\"heavy\", \"hevy\"]]",
        "35:39 this concept has no class `hevy` / did you mean `heavy`?",
    ),
    (
        "[\"means\", \"loan\"]",
        "[\"support\", \"loan\"]\nrules = [{ then = \"light\" }]",
        "36:1 `rules` and `grid` exclude each other / keep one of the two",
    ),
    (
        "inputs = [\"means\", \"loan\"]\nclasses = [\"light\", \"heavy\"]\ngrid = [[\"light\", \"heavy\"], [\"heavy\", \"heavy\"]]",
        "inputs = [\"support\", \"loan\"]\nclasses = [\"light\", \"heavy\"]\nrules = [{ then = \"light\" }]",
        "32:11 `burden`, `support`, `points` depend on one another in a circle / let one of them do without the next",
    ),
    (
        "some = 0.25",
        "some = 0.255",
        "39:36 0.255 has more decimals than the score, which has 2 / say decimals = 3 in the score",
    ),
    (
        "some = 0.25, much",
        "much",
        "39:8 `income` has no points for `some` / name every class, also those that get 0",
    ),
    (
        "some = 0.25",
        "sum = 0.25",
        "39:29 `income` has no class `sum` / known here: `none`, `some`, `much`",
    ),
    (
        "points.burden = { light = 1, heavy = 0 }",
        "points.rent = { low = 1 }",
        "40:8 `rent` is an integer and has no classes to give points to / write weights.rent = 1",
    ),
    (
        "weights.rent",
        "weights.home",
        "41:9 `home` has classes, so it cannot be weighed / give points to its classes: points.home = { … }",
    ),
    (
        "weights.rent",
        "weights.rant",
        "41:9 no integer indicator is called `rant` / did you mean `rent`?",
    ),
    (
        "weights.rent = -0.01",
        "weights.rent = 10000000000",
        "36:9 score `points` runs from 100 to 100000000000400 in units of its last decimal / keep it within -1099511627776 to 1099511627776",
    ),
    ("decimals = 2", "decimals = 10", "37:12 10 decimals are not possible / 0 to 9"),
    (
        "score = \"points\"",
        "score = \"point\"",
        "43:9 no score is called `point` / did you mean `points`?",
    ),
    (
        "at = [1, 2.5]",
        "at = [2.5, 1]",
        "45:12 this start is not above the one before / starts ascend, each larger than the one before",
    ),
    (
        "at = [1, 2.5]",
        "at = [1]",
        "45:6 3 classes need 2 starts, not 1 / every class but the first starts at one of them",
    ),
    (
        "from = \"support\"",
        "from = \"burden\"",
        "47:1 `light`, `heavy` of `burden` cannot be read as tiers / name the classes after the tiers, or map every class: map = { … }",
    ),
    (
        "from = \"support\"",
        "from = \"burden\"\nmap = { light = \"high\" }",
        "48:7 `map` gives no tier to `heavy` / map every class",
    ),
    (
        "from = \"support\"",
        "from = \"burden\"\nmap = { light = \"high\", heavy = \"lower\" }",
        "48:33 `tiers` has no class `lower` / did you mean `low`?",
    ),
    (
        "from = \"support\"",
        "from = \"rent\"",
        "47:8 `rent` is an integer and has no classes / weigh it in a score, cut the score, and refer to the cut",
    ),
    (
        "from = \"support\"",
        "from = \"home\"\nmap = { owned = \"high\", rented = \"high\", none = \"low\" }",
        "24:13 no tier or reason depends on indicator `rent` / use it or drop it: an agency would send data for nothing",
    ),
    (
        "at_most = \"middle\"",
        "at_most = \"middel\"",
        "49:11 `tiers` has no class `middel` / did you mean `middle`?",
    ),
    (
        "at_most = \"middle\"",
        "at_most = \"middle\"\nat_least = \"low\"",
        "48:1 an override names one bound, not 2 / write one of at_least = \"…\", at_most = \"…\" and exactly = \"…\" with a tier",
    ),
    (
        "at_most = \"middle\"\n",
        "",
        "48:1 an override names one bound, not 0 / write one of at_least = \"…\", at_most = \"…\" and exactly = \"…\" with a tier",
    ),
    (
        "when = { loan = \"yes\", home = \"none\" }",
        "when = { any = [{ loan = \"yes\" }], home = \"none\" }",
        "50:8 this condition mixes several kinds / one of any, all, not and of stands alone; put the rest into a condition of its own",
    ),
    (
        "when = { loan = \"yes\", home = \"none\" }",
        "when = { any = [] }",
        "50:16 an empty list of conditions says nothing / write { income = \"none\" }, { any = [ … ] }, { all = [ … ] }, { not = { … } } or { of = [ … ], at_least = 2 }",
    ),
    (
        "when = { loan = \"yes\", home = \"none\" }",
        "when = {}",
        "50:8 an empty condition says nothing / write { income = \"none\" }, { any = [ … ] }, { all = [ … ] }, { not = { … } } or { of = [ … ], at_least = 2 }",
    ),
    (
        "when = { loan = \"yes\", home = \"none\" }\n",
        "",
        "48:1 an override lacks `when` / write { income = \"none\" }, { any = [ … ] }, { all = [ … ] }, { not = { … } } or { of = [ … ], at_least = 2 }",
    ),
    (
        "when = { loan = \"yes\", home = \"none\" }",
        "when = { rent = \"yes\" }",
        "50:10 `rent` is an integer and has no classes / weigh it in a score, cut the score, and refer to the cut",
    ),
    (
        "], at_least = 2 }",
        "], at_least = 4 }",
        "53:129 4 of 3 conditions cannot hold / a number from 0 to 3",
    ),
    (
        "], at_least = 2 }",
        "] }",
        "53:10 a count says how many of the conditions must hold / write at_least = 2, at_most = 3, both, or exactly = 1",
    ),
    (
        "], at_least = 2 }",
        "], exactly = 1, at_most = 2 }",
        "53:10 a count says how many of the conditions must hold / write at_least = 2, at_most = 3, both, or exactly = 1",
    ),
    (
        "], at_least = 2 }",
        "], at_least = 2, at_most = 1 }",
        "53:118 nothing is at least 2 and at most 1 / `at_least` is not above `at_most`",
    ),
    (
        "result = \"neutral\"",
        "result = \"none\"",
        "55:10 `result` cannot be \"none\" / known here: `neutral`, `not-offered`",
    ),
    (
        "result = \"neutral\"",
        "",
        "54:2 `opt_out` lacks `result` / write result = \"neutral\" or \"not-offered\"",
    ),
    (
        "id = \"home\"",
        "id = \"home\"\nwhen = { home = \"none\" }\n[[reasons]]\nid = \"home\"",
        "60:6 two reasons are called `home` / every reason needs an identifier of its own",
    ),
    (
        "at = [1, 2.5]",
        "at = [1, 2.5",
        "46:1 not valid TOML: missing comma between array elements, expected `,` / see https://toml.io for the syntax\n47:1 not valid TOML: missing comma between array elements, expected `,` / see https://toml.io for the syntax\n48:1 not valid TOML: missing comma between array elements, expected `,` / see https://toml.io for the syntax\n49:1 not valid TOML: missing comma between array elements, expected `,` / see https://toml.io for the syntax\n50:1 not valid TOML: missing comma between array elements, expected `,` / see https://toml.io for the syntax",
    ),
    (
        "name = \"example\"",
        "name = \"example\"\nname = \"again\"",
        "3:1 not valid TOML: duplicate key / see https://toml.io for the syntax",
    ),
];

#[test]
fn every_fault_says_where_it_stands_and_what_would_be_right() {
    let mut wrong = Vec::new();
    for (from, to, expected) in FAULTS {
        let found = faults(&with(from, to));
        if found != *expected {
            wrong.push(format!(
                "    (\n        {from:?},\n        {to:?},\n        {found:?},\n    ),"
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
