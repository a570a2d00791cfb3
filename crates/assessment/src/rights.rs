//! What families are entitled to, and how they use it.

use crate::document::Document;
use blindtier_policy::{OptOut, Policy};

pub(crate) fn write(document: &mut Document, policy: &Policy) {
    document.paragraph(
        "The tier is computed without a person looking at the case. Whether it has legal or similarly significant effects \
         (Art. 22) depends on what follows from a tier.",
    );
    let law = document.open(
        "what follows from each tier, and on which exception of Art. 22 (2) the decision rests",
    );
    document.paragraph(&law);
    let informed = document.open(
        "where families find the announcement, this assessment's summary and the policy's text",
    );
    let erased = document.open("which law limits erasure in the agencies' own registers (Art. 17)");
    let restricted = document.open("how a disputed tier is kept from being used (Art. 18)");
    let no = objecting(document, policy);
    let review = document.open(
        "office and persons who review a tier at the family's request (Art. 22 (3)), how to reach them, and until when after the letter",
    );
    let authority = document.open("supervisory authority and its address (Art. 77)");
    let right = |right: &str, how: String| vec![right.to_owned(), how];
    document.table(
        &["right", "how to use it"],
        [
            right("to be informed (Art. 13, 14)", informed),
            right(
                "to know one's data and the logic (Art. 15)",
                "`blindtier family read … --format html --language en|ru|kk` on the family's own device: its tier, the values \
                 that each agency used, what decided, how far other tiers are. `blindtier policy show` and the policy's text for \
                 the logic"
                    .to_owned(),
            ),
            right(
                "to have data corrected (Art. 16)",
                "The letter names the agency for every value; the agency corrects its register. Then `registrar correct … \
                 --slots SLOT` announces a correction, the parties play it, `trustee correct` records it, and the family reads \
                 a new letter from the correction's board"
                    .to_owned(),
            ),
            right(
                "to have data erased (Art. 17)",
                format!(
                    "Letters, ciphertexts and shares go as the table of retention says (`trustee destroy`). {erased}"
                ),
            ),
            right("to have processing restricted (Art. 18)", restricted),
            right(
                "to take data along (Art. 20)",
                "`blindtier family read … --format json`".to_owned(),
            ),
            right("to object (Art. 21)", no),
            right(
                "to have a person look at it (Art. 22 (3))",
                format!(
                    "{review}. The family hands over its letter or proves its tier alone (`blindtier family prove`); at its \
                     request trustees open the tier to the state (`trustee open --open-to state`), with a reason in the ledger"
                ),
            ),
            right(
                "to check that the round was right",
                "`blindtier family check` before anything is opened; `blindtier auditor verify … --head HEAD` with the head in \
                 the letter"
                    .to_owned(),
            ),
            right("to complain (Art. 77)", authority),
        ],
    );
}

fn objecting(document: &mut Document, policy: &Policy) -> String {
    match policy.opt_out {
        OptOut::Neutral => {
            let how = document.open("how a family tells the registrar, and by when (Art. 21)");
            format!(
                "The family tells the registrar before the round, who puts it on the list of `registrar new-round --opt-out \
                 FILE`. Nothing is decided about it, and only its letter says so. {how}"
            )
        }
        OptOut::NotOffered => document.open(
            "how a family objects (Art. 21), or why it has no right to: the policy offers no opt-out",
        ),
    }
}
