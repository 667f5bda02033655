import { execFile } from "node:child_process"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { assert, describe, it } from "vitest"

const main = fileURLToPath(new URL("main.ts", import.meta.url))

describe("the example of a load balancer", () => {
  it("promotes a canary under load, and brings a bad one back", async () => {
    const arguments_ = [main, "--only", "canary", "--per-second", "250", "--requests", "200", "--scale", "60"]
    const { stdout } = await promisify(execFile)(process.execPath, arguments_)
    assert.match(stdout, /share of v2: [\d.]+ % of 200 requests, asked for 50 %/)
    assert.match(
      stdout,
      /canary: \d+ requests, 0 failed, \d+ answered by v3 while it was tried; 0 to targets taken away; .* v2 answers now\n/
    )
  })
})
