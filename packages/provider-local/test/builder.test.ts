import { output, secret } from "@signalbox/core/config"
import { Configuration } from "@signalbox/core/config"
import { providersOf } from "@signalbox/core/plugin"
import * as Result from "effect/Result"
import { assert, describe, it } from "vitest"
import { local, localStack } from "../src/index.ts"

describe("localStack", () => {
  it("builds the data that a file would hold", () => {
    const db = localStack({ name: "db", properties: { command: ["node", "db.mjs"], port: 8_001 } })
    const web = localStack({
      name: "web",
      dependsOn: ["db"],
      strategy: { type: "blue_green" },
      properties: {
        command: ["node", "web.mjs"],
        env: { DB: output("db", "url"), TOKEN: secret("TOKEN") },
        readiness: { timeout: "1 minute" }
      }
    })
    assert.deepStrictEqual(JSON.parse(JSON.stringify(db)), {
      name: "db",
      provider: "local",
      properties: { command: ["node", "db.mjs"], port: 8_001 }
    })
    const checked = Configuration.check(
      { organization: "acme", project: "shop", environments: { production: {} }, stacks: [db, web] },
      providersOf([local()], { directory: ".", stateDirectory: ".signalbox" })
    )
    assert.isTrue(Result.isSuccess(checked))
  })

  it("refuses what is no property, at compile time", () => {
    // @ts-expect-error a port is a number
    assert.isDefined(localStack({ name: "db", properties: { command: ["db"], port: "8001" } }))
    // @ts-expect-error it needs a command
    assert.isDefined(localStack({ name: "db", properties: {} }))
    // @ts-expect-error there is no such key
    assert.isDefined(localStack({ name: "db", properties: { command: ["db"], colour: "red" } }))
  })
})
