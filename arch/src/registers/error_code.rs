//! What the ERROR register says.

macro_rules! error_codes {
    ($($code:ident $name:literal = $value:literal $meaning:literal $place:literal;)*) => {
        /// The code of an error that stopped a core. The first one since the last clear counts.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum ErrorCode {
            $(#[doc = $meaning] $code = $value,)*
        }

        impl ErrorCode {
            /// Every code, by rising value.
            pub const ALL: &'static [ErrorCode] = &[$(ErrorCode::$code,)*];

            /// Name in headers and documentation.
            pub fn name(self) -> &'static str {
                match self { $(ErrorCode::$code => $name,)* }
            }

            /// What is wrong.
            pub fn meaning(self) -> &'static str {
                match self { $(ErrorCode::$code => $meaning,)* }
            }

            /// What the `place` field of ERROR holds.
            pub fn place(self) -> &'static str {
                match self { $(ErrorCode::$code => $place,)* }
            }
        }
    };
}

error_codes! {
    Descriptor "DESCRIPTOR" = 1 "a layer register is out of range" "byte address of the register";
    Start "START" = 2 "start while a layer runs" "0";
    SlotLane "SLOT_LANE" = 3 "a slot word connects a column to a lane that is not there, or merges the only lane" "tile";
    SlotPlane "SLOT_PLANE" = 4 "a slot word has an item on a coefficient plane that is not there" "tile";
    SlotPsum "SLOT_PSUM" = 5 "a slot word has an item whose psums are not all in the half of its block" "tile";
    SlotEarly "SLOT_EARLY" = 6 "the slot stream's tlast came before the layer's last beat" "0";
    SlotLate "SLOT_LATE" = 7 "the slot stream had no tlast with the layer's last beat" "0";
    ActivationEarly "ACTIVATION_EARLY" = 8 "the activation stream's tlast came before the layer's last beat" "0";
    ActivationLate "ACTIVATION_LATE" = 9 "the activation stream had no tlast with the layer's last beat" "0";
}

impl ErrorCode {
    /// The code of a value of the ERROR register; `None` for no error.
    pub fn of(register: u32) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| *code as u32 == register & 0xff)
    }

    /// The codes as a table.
    pub fn markdown() -> String {
        let row = |c: &ErrorCode| format!("| {} | {} | {} | {} |\n", *c as u8, c.name(), c.meaning(), c.place());
        "| code | name | what | place |\n|---|---|---|---|\n".to_string()
            + &Self::ALL.iter().map(row).collect::<String>()
    }
}
