//! The statuses of a checkout, and what may be done in each.

use crate::error::Error;
use chrono::{DateTime, Utc};
use serde::{Serialize, Serializer};

/// Where a checkout stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// Created, and not decided.
    Pending,
    /// The payment provider is at work.
    PaymentInitiated,
    /// It is paid, and can be confirmed.
    PaymentSucceeded,
    /// It is not paid, and another payment can be tried.
    PaymentFailed,
    /// Confirmed: there is a contract.
    ContractCreated,
    /// Given up.
    Cancelled,
    /// Its time was over before it was decided.
    Expired,
}

impl Status {
    /// Every status.
    pub const ALL: [Status; 7] = [
        Status::Pending,
        Status::PaymentInitiated,
        Status::PaymentSucceeded,
        Status::PaymentFailed,
        Status::ContractCreated,
        Status::Cancelled,
        Status::Expired,
    ];

    /// Its name on the wire and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Status::Pending => "pending",
            Status::PaymentInitiated => "payment_initiated",
            Status::PaymentSucceeded => "payment_succeeded",
            Status::PaymentFailed => "payment_failed",
            Status::ContractCreated => "contract_created",
            Status::Cancelled => "cancelled",
            Status::Expired => "expired",
        }
    }

    /// The status of a name.
    pub fn named(name: &str) -> Option<Status> {
        Status::ALL.into_iter().find(|status| status.as_str() == name)
    }

    /// The status at an instant of a checkout that is stored with this one.
    ///
    /// From the very instant `expires_at` on it is `expired`, whatever is stored; but not while money moves.
    pub fn at(self, now: DateTime<Utc>, expires_at: DateTime<Utc>) -> Status {
        match self {
            Status::Pending | Status::PaymentFailed if now >= expires_at => Status::Expired,
            other => other,
        }
    }
}

impl Serialize for Status {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// What may be done with a checkout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Change the request.
    Change,
    /// Make or amend the contract.
    Confirm,
    /// Give it up.
    Cancel,
    /// Note that a payment was begun.
    InitiatePayment,
    /// Note that it succeeded or failed.
    SettlePayment,
}

impl Action {
    /// Every action.
    pub const ALL: [Action; 5] =
        [Action::Change, Action::Confirm, Action::Cancel, Action::InitiatePayment, Action::SettlePayment];

    /// The statuses in which it is possible.
    pub const fn possible_from(self) -> &'static [Status] {
        match self {
            Action::Change => &[Status::Pending],
            Action::Confirm => &[Status::Pending, Status::PaymentSucceeded],
            Action::Cancel | Action::InitiatePayment => &[Status::Pending, Status::PaymentFailed],
            Action::SettlePayment => &[Status::PaymentInitiated],
        }
    }

    /// The error's code where it is not possible.
    pub const fn refusal(self) -> &'static str {
        match self {
            Action::Change => "checkout_not_changeable",
            Action::Confirm => "checkout_not_confirmable",
            Action::Cancel => "checkout_not_cancellable",
            Action::InitiatePayment | Action::SettlePayment => "checkout_not_payable",
        }
    }

    pub(crate) const fn participle(self) -> &'static str {
        match self {
            Action::Change => "changed",
            Action::Confirm => "confirmed",
            Action::Cancel => "cancelled",
            Action::InitiatePayment => "paid for",
            Action::SettlePayment => "given the outcome of a payment",
        }
    }

    /// # Errors
    /// It is not possible in this status.
    pub fn check(self, current_status: Status) -> Result<(), Error> {
        match self.possible_from().contains(&current_status) {
            true => Ok(()),
            false => Err(Error::NotPossible { action: self, current_status }),
        }
    }
}
