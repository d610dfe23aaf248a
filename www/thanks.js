// Where the checkout leads when the contract is made: the address has the session's id.

const id = new URLSearchParams(location.search).get("checkout_session_id");
document.getElementById("session").textContent = id ?? "on its way";
