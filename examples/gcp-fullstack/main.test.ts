import { execFile } from "node:child_process"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { assert, describe, it } from "vitest"

const main = fileURLToPath(new URL("main.ts", import.meta.url))

describe("the example of Cloud Run and Firebase Hosting", () => {
  it("releases both as one, and brings both back", async () => {
    const { stderr, stdout } = await promisify(execFile)(process.execPath, [main, "--requests", "200", "--rate", "50"])
    const said = stdout + stderr
    assert.match(said, /share of v2: [\d.]+ % of 200 requests, asked for 50 %/)
    assert.include(said, "Cloud Run service `reviews` does not exist")
    assert.include(said, "The container failed to start")
    assert.match(said, /\d+ requests, 0 dropped, 0 with a frontend on another backend; released: v1, v2\n/)
  })
})
