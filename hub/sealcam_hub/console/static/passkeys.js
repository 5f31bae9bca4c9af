// Passkeys: signing in with one, and adding one. Does nothing where the browser knows none; the passphrase stays.

const CODES = { "+": "-", "/": "_" };

function bytes(text) {
  const plain = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
  return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
}

function text(buffer) {
  const plain = btoa(String.fromCharCode(...new Uint8Array(buffer)));
  return plain.replace(/[+/]/g, (letter) => CODES[letter]).replace(/=+$/, "");
}

async function send(address, fields) {
  const answer = await fetch(address, { method: "POST", body: new URLSearchParams(fields), redirect: "error" });
  const said = await answer.text();
  if (!answer.ok) {
    throw new Error(answer.headers.get("content-type")?.startsWith("text/plain") ? said : "That didn't work. Load the page again.");
  }
  return said;
}

function written(credential, names) {
  const response = {};
  for (const name of names) {
    if (credential.response[name]) {
      response[name] = text(credential.response[name]);
    }
  }
  const { id, type } = credential;
  return JSON.stringify({ id, type, rawId: text(credential.rawId), response, clientExtensionResults: {} });
}

async function enter(to) {
  const asked = JSON.parse(await send("/passkey/ask", {}));
  const publicKey = { ...asked, challenge: bytes(asked.challenge), allowCredentials: [] };
  const credential = await navigator.credentials.get({ publicKey });
  const answer = written(credential, ["clientDataJSON", "authenticatorData", "signature", "userHandle"]);
  location.assign(await send("/passkey", { answer, to }));
}

async function add(csrf, label) {
  const asked = JSON.parse(await send("/me/passkey/ask", { csrf }));
  const publicKey = {
    ...asked,
    challenge: bytes(asked.challenge),
    user: { ...asked.user, id: bytes(asked.user.id) },
    excludeCredentials: (asked.excludeCredentials ?? []).map((one) => ({ ...one, id: bytes(one.id) })),
  };
  const credential = await navigator.credentials.create({ publicKey });
  const answer = written(credential, ["clientDataJSON", "attestationObject"]);
  location.assign(await send("/me/passkey", { csrf, label, answer }));
}

const problem = document.querySelector("[data-passkey-problem]");

async function tried(button, work) {
  button.disabled = true;
  problem.hidden = true;
  try {
    await work();
  } catch (error) {
    // The browser's own words for a person who thought better of it, or a device that has none, are for developers.
    problem.textContent = error instanceof DOMException ? told(error) : error.message;
    problem.hidden = false;
  }
  button.disabled = false;
}

function told(error) {
  return error.name === "InvalidStateError"
    ? "This device has a passkey for you already."
    : "No passkey was used. Try again, or type the passphrase.";
}

if (window.PublicKeyCredential && window.isSecureContext) {
  const door = document.querySelector("[data-passkey-in]");
  if (door) {
    door.hidden = false;
    const button = door.querySelector("[data-passkey-enter]");
    button.addEventListener("click", () => tried(button, () => enter(button.dataset.to)));
  }
  const form = document.querySelector("[data-passkey-new]");
  if (form) {
    form.hidden = false;
    document.querySelector("[data-passkey-none]").hidden = true;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      tried(form.querySelector("button"), () => add(form.elements.csrf.value, form.elements.label.value));
    });
  }
}
