//! The kind that Vector gives for the result of `parse_dnstap`.

use std::collections::BTreeMap;
use vrl::prelude::{Collection, Field, Kind};

type Members = Vec<(&'static str, Kind)>;

fn object(members: Members) -> Kind {
    let known: BTreeMap<Field, Kind> = members
        .into_iter()
        .map(|(name, kind)| (name.into(), kind))
        .collect();
    Kind::object(known)
}

fn list(item: Kind) -> Kind {
    Kind::array(Collection::from_unknown(item))
}

fn all(names: &[&'static str], kind: Kind) -> Members {
    names.iter().map(|name| (*name, kind.clone())).collect()
}

fn record() -> Kind {
    let mut members = all(&["domainName", "class", "rData"], Kind::bytes());
    members.extend(all(&["recordTypeId", "ttl"], Kind::integer()));
    members.extend(all(
        &["recordType", "rDataBytes"],
        Kind::bytes().or_undefined(),
    ));
    object(members)
}

fn header() -> Kind {
    let counts = [
        "arCount", "qdCount", "anCount", "nsCount", "zoCount", "prCount", "upCount", "adCount",
    ];
    let mut members = all(&["id", "opcode", "rcode", "qr"], Kind::integer());
    members.extend(all(&["aa", "tc", "rd", "ra", "ad", "cd"], Kind::boolean()));
    members.extend(all(&counts, Kind::integer().or_undefined()));
    object(members)
}

fn question() -> Kind {
    let mut members = all(&["class", "domainName", "questionType"], Kind::bytes());
    members.push(("questionTypeId", Kind::integer()));
    object(members)
}

fn zone() -> Kind {
    let mut members = all(&["zName", "zClass"], Kind::bytes());
    members.push(("zType", Kind::bytes().or_undefined()));
    members.push(("zTypeId", Kind::integer()));
    object(members)
}

fn options() -> Kind {
    let option = object(vec![
        ("optCode", Kind::integer()),
        ("optName", Kind::bytes()),
        ("optValue", Kind::bytes()),
    ]);
    let mut members = all(
        &["extendedRcode", "ednsVersion", "udpPayloadSize"],
        Kind::integer(),
    );
    members.push(("do", Kind::boolean()));
    members.push(("options", list(option).or_undefined()));
    object(members)
}

pub fn message() -> Kind {
    let mut members = all(&["time", "fullRcode"], Kind::integer());
    members.extend(all(
        &["timePrecision", "rcodeName", "rawData"],
        Kind::bytes(),
    ));
    members.extend(all(
        &[
            "answers",
            "authority",
            "additional",
            "prerequisite",
            "update",
        ],
        list(record()),
    ));
    members.extend([
        ("header", header()),
        ("zone", zone()),
        ("question", list(question())),
        ("opt", options()),
    ]);
    object(
        members
            .into_iter()
            .map(|(name, kind)| (name, kind.or_undefined()))
            .collect(),
    )
}
