import { afterAll, describe } from "vitest"
import { endpoint } from "../emulator.ts"
import { rewriting } from "./rewriting.ts"
import { suites } from "./suites.ts"

describe.skipIf(endpoint === undefined)("DynamoDB", async () => {
  if (endpoint === undefined) return
  await suites("DynamoDB", endpoint, endpoint)
  for (const by of [20_000, -20_000]) {
    // Both processes have the same wrong clock: the server's is right by definition. Only leases and deliveries depend on it.
    const turned = await rewriting(endpoint, { ahead: by })
    afterAll(turned.close)
    await suites(`DynamoDB, with this host's clock off by ${-by / 1_000} seconds,`, turned.url, turned.url, {
      events: false
    })
  }
})
