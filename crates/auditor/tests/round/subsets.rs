//! Who can open and who cannot: every set of trustees.

use crate::support::*;
use blindtier_ledger::{Event, LedgerError, OpenedRound};
use blindtier_trustee::OpenProgress;
use blindtier_wire::{Digest, PartialChunk, Share, unpad};
use std::collections::{BTreeMap, BTreeSet};

const SHARINGS: [&str; 3] = ["2-of-3", "3-of-5", "2-of-4"];

/// Four families in one chunk.
fn small(sharing: &str, dealer: bool) -> World {
    World::with(Shape { families: 4, chunk: 4, ..Shape::of(sharing, dealer) })
}

fn every_subset(sharing: &str, check: impl Fn(&World, &Files, &[u16])) {
    for dealer in [false, true] {
        let world = small(sharing, dealer);
        let base = world.evaluated("base");
        for set in 1..1u32 << world.trustees.len() {
            let who: Vec<u16> =
                world.all().into_iter().filter(|k| set >> (k - 1) & 1 == 1).collect();
            let files = world.copy(&base, &format!("set-{set}"));
            check(&world, &files, &who);
        }
    }
}

/// The trustees outside sign what is listed, without their shares: only signatures need a majority.
fn countersign(world: &World, files: &Files, who: &[u16]) {
    let Some(pending) = world.ledger(files).unwrap().pending().cloned() else { return };
    for number in world.all().into_iter().filter(|number| !who.contains(number)) {
        let _ = world.endorse(files, number, pending.entry.event.clone());
    }
}

fn opens_or_not(world: &World, files: &Files, who: &[u16]) {
    let sharing = world.shape.sharing;
    let first = world.open_by(files, who).unwrap();
    if who.len() < usize::from(sharing.threshold()) {
        assert!(first.iter().all(|p| *p == OpenProgress::Committed), "{sharing} {who:?}");
        assert!(sharing.missing(who).is_some());
        // Even if all trustees signed that these alone open, it would be no entry.
        let partials = who
            .iter()
            .map(|k| {
                let name = world.trustee(*k).name();
                let path = files.board.partials(name).join("partials.bt");
                (name.clone(), Digest::of(&std::fs::read(path).unwrap()))
            })
            .collect();
        let receipt = Digest::of(&std::fs::read(files.board.receipt()).unwrap());
        let event = Event::Committed { receipt, partials };
        let refused = world.endorse(files, who[0], event.clone());
        assert!(matches!(refused, Err(LedgerError::Order { .. })));
        world.force(files, &world.all(), &event);
        assert!(matches!(world.ledger(files), Err(LedgerError::Order { .. })));
        assert!(world.open(files, who[0]).is_err());
        return;
    }
    for _ in 0..2 {
        if who.len() >= sharing.majority() {
            break;
        }
        // 2-of-4: two trustees hold all shares, and the ledger wants the signature of a third.
        assert!(!files.path("letters").exists());
        countersign(world, files, who);
        world.open_by(files, who).unwrap();
    }
    assert!(world.open_by(files, who).unwrap().iter().all(is_done), "{sharing} {who:?}");
    world.check_letters(files);
    world.audit(files, &[0]).unwrap();
}

#[test]
fn every_two_of_three_open_and_one_does_not() {
    every_subset(SHARINGS[0], opens_or_not);
}

#[test]
fn every_three_of_five_open_and_two_do_not() {
    every_subset(SHARINGS[1], opens_or_not);
}

#[test]
fn every_two_of_four_open_and_one_does_not() {
    every_subset(SHARINGS[2], opens_or_not);
}

/// How far from the tiers trustees come by themselves, with the partial decryptions of the shares that they hold.
fn forced(world: &World, files: &Files, who: &[u16]) -> Vec<u32> {
    let path = files.board.receipt();
    let results = world
        .receipt(files)
        .chunks(&path, files.round(), files.context(), &world.trust)
        .unwrap()
        .read(0)
        .unwrap();
    let digest = Digest::of(&results.bytes);
    let slots = world.shape.families as u32;
    let bodies = &results.bytes[32 * world.shape.families..];
    let mut sums: Vec<u32> = bodies.iter().map(|byte| u32::from(*byte)).collect();
    let mut added = BTreeSet::new();
    for number in who {
        let chunk = PartialChunk::from_bytes(&world.hidden(files, *number).0[0].bytes).unwrap();
        for (share, partial) in world.shares(files, *number).shares.iter().zip(chunk.partials) {
            if !added.insert(share.share) {
                continue;
            }
            for (slot, sum) in (0..slots).zip(&mut sums) {
                let pad = share.seed(&digest, slot).pad(MODULUS);
                *sum = unpad(*sum + u32::from(partial[slot as usize]), [pad], MODULUS);
            }
        }
    }
    let families = world.families(files);
    let off = |slot: usize| (sums[slot] + MODULUS - tier(families[slot])) % MODULUS;
    (0..world.shape.families).map(off).collect()
}

#[test]
fn a_sum_without_one_share_gives_nothing_but_chance() {
    for sharing in SHARINGS {
        for dealer in [false, true] {
            let families = 600;
            let shape = Shape { families, chunk: 600, ..Shape::of(sharing, dealer) };
            let world = World::with(shape);
            let files = world.evaluated("round");
            let t = u16::from(shape.sharing.threshold());
            let who: Vec<u16> = (1..=t).collect();
            world.commit_by(&files, &who);
            assert!(forced(&world, &files, &who).iter().all(|off| *off == 0), "t trustees can");
            let off = forced(&world, &files, &who[1..]);
            nothing_but_chance(&off);
        }
    }
}

/// On average 600/256 are right, and there are 231 numbers of 256.
#[track_caller]
fn nothing_but_chance(off: &[u32]) {
    let right = off.iter().filter(|off| **off == 0).count();
    let distinct: BTreeSet<_> = off.iter().collect();
    assert!(right < 20, "{right} of {} right", off.len());
    assert!(distinct.len() > 180, "only {} numbers", distinct.len());
}

#[test]
fn a_board_with_all_partial_decryptions_gives_nothing_but_chance() {
    // Neither to the public, nor to one trustee: the pads of a share are missing.
    let shape = Shape { families: 600, chunk: 600, ..Shape::of("2-of-3", false) };
    let world = World::with(shape);
    let files = world.evaluated("round");
    while world.ledger(&files).unwrap().opened().is_err() {
        [1, 2].iter().for_each(|k| drop(world.open(&files, *k).unwrap()));
    }
    let ledger = world.ledger(&files).unwrap();
    let (board, round, context) = (&files.board, files.round(), files.context());
    let opened = OpenedRound { board, ledger: &ledger, round, context, trust: &world.trust };
    let numbers = opened.chunk(0).unwrap().numbers;
    let families = world.families(&files);
    let results = world
        .receipt(&files)
        .chunks(&board.receipt(), round, context, &world.trust)
        .unwrap()
        .read(0)
        .unwrap();
    let digest = Digest::of(&results.bytes);
    let off = |seeds_of: &[u16]| -> Vec<u32> {
        let shares: BTreeMap<u32, Share> = seeds_of
            .iter()
            .flat_map(|k| world.shares(&files, *k).shares)
            .map(|share| (share.share, share))
            .collect();
        let one = |(slot, number): (u32, &u32)| {
            let pads = shares.values().map(|share| share.seed(&digest, slot).pad(MODULUS));
            (unpad(*number, pads, MODULUS) + MODULUS - tier(families[slot as usize])) % MODULUS
        };
        (0..).zip(&numbers).map(one).collect()
    };
    nothing_but_chance(&off(&[]));
    world.all().iter().for_each(|k| nothing_but_chance(&off(&[*k])));
    assert!(off(&[2, 3]).iter().all(|off| *off == 0), "any two could");
}
