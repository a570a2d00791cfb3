//! What must not leave a trustee does not.

use crate::support::*;
use blindtier_family::LetterKey;
use blindtier_trustee::{StateRequest, open_to_state};
use blindtier_wire::Digest;
use std::fs;
use std::path::PathBuf;

fn contains(bytes: &[u8], secret: &[u8]) -> bool {
    bytes.windows(secret.len()).any(|window| window == secret)
}

/// Raw or in hexadecimal digits.
fn shows(bytes: &[u8], secret: &[u8]) -> bool {
    let text: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
    contains(bytes, secret) || contains(bytes, text.as_bytes())
}

#[test]
fn nobody_else_has_a_share_a_seed_or_a_letter_key() {
    for dealer in [false, true] {
        let world = World::with(Shape::of("2-of-3", dealer));
        let files = world.finished("round");
        let request =
            StateRequest { slot: 1, reason: "appeal".into(), key: *world.keys[0].public() };
        let output = files.path("state");
        for number in [1, 2, 1, 2] {
            world.at_desk(&files, number, |desk| open_to_state(desk, &request, &output)).unwrap();
        }
        assert_eq!(files_below(&output).len(), 2);

        let receipt = world.receipt(&files);
        let path = files.board.receipt();
        let results = receipt.chunks(&path, files.round(), files.context(), &world.trust).unwrap();
        let digests: Vec<Digest> =
            (0..3).map(|chunk| Digest::of(&results.read(chunk).unwrap().bytes)).collect();
        // What it is, its bytes, and who may have it.
        let mut secrets: Vec<(String, Vec<u8>, Vec<u16>)> = Vec::new();
        for share in world.all().into_iter().flat_map(|k| world.shares(&files, k).shares) {
            let holders = world.shape.sharing.holders(share.share);
            let mut add = |what: &str, bytes: &[u8]| {
                secrets.push((
                    format!("{what} of share {}", share.share),
                    bytes.to_vec(),
                    holders.clone(),
                ));
            };
            add("key", &share.key);
            if dealer {
                assert_eq!(share.material.len(), 32);
                add("material", &share.material);
            }
            for slot in 0..7 {
                add("seed", &share.seed(&digests[slot as usize / 3], slot).0);
            }
        }
        let device = files.path("devices");
        LetterKey::write(&device, &world.keys).unwrap();
        let text = fs::read_to_string(&device).unwrap();
        for line in text.lines().skip(1) {
            let bytes = (0..32).map(|i| u8::from_str_radix(&line[2 * i..2 * i + 2], 16).unwrap());
            secrets.push(("secret of a letter key".into(), bytes.collect(), Vec::new()));
        }
        let receiving: Vec<(u16, PathBuf)> =
            world.all().iter().map(|k| (*k, files.private(*k).join("receiving.key"))).collect();
        for (number, path) in receiving {
            let text = fs::read_to_string(path).unwrap();
            let line = text.lines().nth(1).unwrap();
            let bytes = (0..32).map(|i| u8::from_str_radix(&line[2 * i..2 * i + 2], 16).unwrap());
            secrets.push(("receiving key".into(), bytes.collect(), vec![number]));
        }
        assert!(secrets.len() > 6 * 8);

        let mut found = 0;
        for path in files.all() {
            if path == device {
                continue;
            }
            let bytes = fs::read(&path).unwrap();
            let holder = world.all().into_iter().find(|k| path.starts_with(files.private(*k)));
            for (what, secret, holders) in &secrets {
                if shows(&bytes, secret) {
                    let may = holder.is_some_and(|number| holders.contains(&number));
                    assert!(may, "{}: {what}", path.display());
                    found += 1;
                }
            }
        }
        // The search finds what there is: the shares with their holders.
        assert!(found >= 6 + 3, "{found}");
    }
}

#[test]
fn commitments_and_partial_decryptions_wait_with_their_owner() {
    // Before everybody has committed, the board has a trustee's hashes only.
    let world = World::new();
    let files = world.evaluated("round");
    world.open(&files, 1).unwrap();
    let board = files_below(&files.board.partials(world.trustee(1).name()));
    assert_eq!(board.len(), 1, "{board:?}");
    assert!(board[0].ends_with("partials.bt"));
    assert!(fs::metadata(&board[0]).unwrap().len() < 1200);
}
