// Events of the real server, received in Node: what the published library of Standard Webhooks says of them.

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { Webhook, WebhookVerificationError } from "standardwebhooks";
import { verifier } from "./native.mjs";
import { root } from "./project.mjs";

const binary = verifier();
const catalog = join(root, "www/catalog.json");
let folder;
let receiver;
let server;
let received = [];

before(async () => {
  folder = mkdtempSync(join(tmpdir(), "checkout-webhooks-"));
  receiver = createServer(async (request, response) => {
    let body = "";
    for await (const part of request) body += part;
    received.push({ headers: request.headers, body });
    response.writeHead(204).end();
    receiver.emit("received");
  });
  receiver.listen(0, "127.0.0.1");
  await once(receiver, "listening");
});

after(async () => {
  receiver.close();
  if (server) {
    const ended = once(server, "exit");
    server.kill("SIGTERM");
    await ended;
  }
  rmSync(folder, { recursive: true });
});

const run = (...args) =>
  JSON.parse(execFileSync(binary, [...args, "--database", `sqlite:${join(folder, "checkout.db")}`], { encoding: "utf8" }));

test("every message of a purchase is verified, and none that was tampered with", async () => {
  const { organisation, secret_key: key } = run("organisation", "create", "Receiver");
  run("catalog", "import", catalog, "--organisation", organisation);
  const url = `http://127.0.0.1:${receiver.address().port}/hooks`;
  const { secret } = run("webhook", "create", "--organisation", organisation, "--url", url, "--webhooks-allow-private");
  server = spawn(binary, [
    "serve", "--listen", "127.0.0.1:0", "--database", `sqlite:${join(folder, "checkout.db")}`, "--log-level", "error",
    "--webhooks-allow-private",
  ], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = await once(createInterface({ input: server.stdout }), "line");
  const [address] = /http:\/\/\S+/.exec(line);

  const headers = { "content-type": "application/json", organisation, "x-api-key": key };
  const post = async (path, body) => {
    const answer = await fetch(address + path, { method: "POST", headers, body: JSON.stringify(body) });
    assert(answer.ok, await answer.clone().text());
    return answer.json();
  };
  const { id } = await post("/checkouts", {
    plan_id: "team_monthly_usd", business_entity_id: "ternwell_us", product_overrides: [{ product_id: "seats", quantity: "4" }],
  });
  const { contract_id } = await post(`/checkouts/${id}/confirm`, {});
  while (received.length < 3) await once(receiver, "received", { signal: AbortSignal.timeout(20_000) });

  const webhook = new Webhook(secret);
  const events = received.map(({ headers, body }) => webhook.verify(body, headers));
  assert.deepEqual(events.map(({ type }) => type).sort(), ["checkout.contract_created", "checkout.created", "contract.created"]);
  assert.equal(events.find(({ type }) => type === "contract.created").data.id, contract_id);
  assert(events.every(({ data }) => data.id === id || data.checkout_id === id));

  const [{ headers: sent, body }] = received;
  const refused = (...message) => assert.throws(() => webhook.verify(...message), WebhookVerificationError);
  refused(body.replace("created", "crafted"), sent);
  refused(body, { ...sent, "webhook-id": received[1].headers["webhook-id"] });
  refused(body, { ...sent, "webhook-timestamp": String(Number(sent["webhook-timestamp"]) - 1) });
  refused(body, { ...sent, "webhook-signature": sent["webhook-signature"].slice(0, -4) });
  assert.throws(() => new Webhook("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").verify(body, sent), WebhookVerificationError);
});
