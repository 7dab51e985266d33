//! What the builder and the emitter refuse, and in which words.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod support;

use basisn_hdl::Error;
use basisn_hdl::build::{BlackBox, Module, lit};

fn module() -> Module {
    Module::new("probe", support::HEADER)
}

fn refusal(m: Module) -> Error {
    basisn_hdl::generate(m).unwrap_err()
}

#[test]
fn widths_that_differ() {
    let mut m = module();
    let (a, b) = (m.input("a", 8), m.input("b", 9));
    let y = m.output("y", 8);
    m.set(&y, &a.add(&b).trunc(4).zext(8));
    insta::assert_snapshot!(refusal(m), @r"
    widths do not match
      at:    module probe, y
      cause: Add of 8 bits and 9 bits
      fix:   extend or cut an operand explicitly
    ");
}

#[test]
fn a_value_of_another_width_than_its_net() {
    let mut m = module();
    let a = m.input("a", 8);
    let y = m.output("y", 9);
    m.set(&y, &a);
    insta::assert_snapshot!(refusal(m), @r"
    widths do not match
      at:    module probe, y
      cause: a value of 8 bits for a net of 9 bits
      fix:   extend or cut an operand explicitly
    ");
}

#[test]
fn constants_slices_and_conditions_that_do_not_fit() {
    type Build = fn(&mut Module);
    let cases: [(Build, &str); 7] = [
        (|m| _ = m.define("x", &lit(8, 3)), "the constant 8 does not fit into 3 bits"),
        (|m| _ = m.define("x", &lit(1, 4).bits(2, 3)), "bits 2 to 5 of a value of 4 bits"),
        (|m| _ = m.define("x", &lit(1, 4).zext(3)), "extension of 4 bits to 3 bits"),
        (|m| _ = m.define("x", &lit(1, 4).bits_at(&lit(2, 2), 2)), "element 2 of a value of 4 bits"),
        (|m| m.when(&lit(1, 2), |_| {}), "a condition of 2 bits"),
        (|m| _ = m.select("x", &lit(1, 1), &lit(1, 2), &lit(1, 3)), "a choice of 2 bits and 3 bits"),
        (
            |m| {
                let out = m.output("x", 4);
                m.set_bits(&out, 3, &lit(0, 2));
            },
            "bits 3 to 5 of a net of 4 bits",
        ),
    ];
    for (build, expected) in cases {
        let mut m = module();
        build(&mut m);
        match refusal(m) {
            Error::Width { cause, .. } => assert_eq!(cause, expected),
            other => panic!("{other}"),
        }
    }
}

#[test]
fn nets_that_are_not_driven_on_every_path() {
    type Build = fn(&mut Module);
    let cases: [(Build, &str, &str); 5] = [
        (|m| _ = m.output("y", 8), "y", "it is not set on every path"),
        (
            |m| {
                let (a, y) = (m.input("a", 1), m.output("y", 1));
                m.when(&a, |m| m.set(&y, &a));
            },
            "y",
            "it is not set on every path",
        ),
        (
            |m| {
                let (a, y) = (m.input("a", 3), m.output("y", 8));
                m.set_bits(&y, 0, &a);
            },
            "y",
            "bit 3 is not set on every path",
        ),
        (
            |m| {
                let (x, y) = (m.local("x", 8), m.output("y", 8));
                m.set(&y, &x.read());
                m.set(&x, &lit(1, 8));
            },
            "x",
            "it is read before it is set on every path",
        ),
        (|m| _ = m.memory("store", 4, 4), "store.read_address", "it is not set on every path"),
    ];
    for (build, expected_net, expected) in cases {
        let mut m = module();
        build(&mut m);
        match refusal(m) {
            Error::Driver { net, cause, .. } => assert_eq!((net.as_str(), cause.as_str()), (expected_net, expected)),
            other => panic!("{other}"),
        }
    }
}

#[test]
fn a_constant_that_is_set_in_steps() {
    let mut m = module();
    let y = m.output("y", 8);
    m.set(&y, &lit(0, 8));
    m.set_bits(&y, 2, &lit(3, 2));
    assert!(matches!(refusal(m), Error::Driver { .. }));
}

#[test]
fn ports_that_a_child_does_not_have() {
    let mut m = module();
    let child = m.black_box("analog", BlackBox::new("analog_a").input("a", 2));
    m.set(&child.input("b"), &lit(0, 2));
    match refusal(m) {
        Error::Width { cause, .. } => assert_eq!(cause, "instance analog has no input b"),
        other => panic!("{other}"),
    }
}

#[test]
fn two_modules_of_one_name() {
    let child = |bits: usize| {
        let mut m = Module::new("child", support::HEADER);
        let y = m.output("y", 4);
        m.set(&y, &lit(bits as u64, 4));
        m
    };
    let mut m = module();
    m.child("one", child(1));
    m.child("two", child(1));
    assert_eq!(basisn_hdl::generate(m.clone()).unwrap().len(), 2);
    m.child("three", child(3));
    insta::assert_snapshot!(refusal(m), @r"
    two different modules have the same name
      at:    module child
      cause: their bodies differ
      fix:   put the parameters that differ into the module's name
    ");
}

#[test]
fn names_that_cannot_be_used() {
    for (name, expected) in [
        ("x_next", "two things have this name"),
        ("wire", "it is a reserved word"),
        ("priority", "it is a reserved word"),
        ("a$b", "a name has letters, digits and underscores, a letter first"),
        ("a[0]", "a name has letters, digits and underscores, a letter first"),
        ("clock", "two things have this name"),
        ("unused_bits", "two things have this name"),
    ] {
        let mut m = module();
        m.register("x", 1);
        m.input(name, 1);
        match refusal(m) {
            Error::Name { cause, .. } => assert_eq!(cause, expected, "{name}"),
            other => panic!("{name}: {other}"),
        }
    }
}

#[test]
fn a_net_of_another_module() {
    let mut other = module();
    let foreign = other.input("elsewhere", 4);
    let mut m = module();
    let y = m.output("y", 4);
    m.set(&y, &foreign);
    match refusal(m) {
        Error::Name { name, cause, .. } => {
            assert_eq!((name.as_str(), cause.as_str()), ("elsewhere", "it is not declared"))
        }
        other => panic!("{other}"),
    }
}
