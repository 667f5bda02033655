/**
 * Credentials that end while CloudFormation changes a stack: the command waits, asks, and a later one finishes what has begun.
 */
import { answers, faultProxy, operations } from "@signalbox/fault-proxy"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { assert, describe, expect, it } from "vitest"
import { begun } from "../chaos/judge.ts"
import { endpoint } from "../emulator.ts"
import { eventually } from "./eventually.ts"
import { held, release } from "./held.ts"
import { templateOf } from "./platform.ts"
import { configuration, id, project } from "./project.ts"

const clock = fileURLToPath(new URL("../fixtures/jump.mjs", import.meta.url))

describe.skipIf(endpoint === undefined)("credentials that end midway", { concurrent: true }, () => {
  it.each(["attach", "resume"])("pause the deployment with exit code 7, and %s finishes it", async (command) => {
    await using proxy = await faultProxy({ target: endpoint!, operationOf: operations.awsQuery })
    // The lease outlives the jump of the clock.
    const one = project(`leaseTtl: 20 minutes\n${configuration()}`, { AWS_ENDPOINT_URL: proxy.url })
    const { aws } = one
    const jump = join(aws.directory, "jump")
    aws.write("api.json", templateOf("v1"))
    await one.ends(0, "init", "--id", id)
    await one.ends(0, "deploy", "--version", "v1")

    aws.write("api.json", templateOf("v2", held))
    const deploying = one.run(["deploy", "--version", "v2", "--correlation-id", "midway"], {
      NODE_OPTIONS: `--import=${clock}`,
      JUMP: jump
    })
    await eventually("the update", () => proxy.count("ExecuteChangeSet") > 0)
    const renew = proxy.add({
      fault: { answer: answers.awsQuery({ code: "ExpiredToken", message: "it has expired" }) }
    })
    // A repeated call shows that the command has begun to wait.
    await eventually("calls without credentials", () => proxy.count(undefined, "answer") > 2)
    // The 5 minutes for which a command waits for new credentials are over.
    writeFileSync(jump, "")
    const paused = await deploying
    assert.strictEqual(paused.code, 7, paused.stdout + paused.stderr)
    expect(paused.stderr).toContain("credentials")

    await release(aws, "shop-api")
    renew()
    await one.ends(0, command, "midway")
    assert.strictEqual(await aws.version(), "v2")
    const tokens = begun(await aws.events("shop-api"))
    assert.strictEqual(tokens.length, 2, tokens.join(" "))
    for (const call of ["CancelUpdateStack", "RollbackStack", "UpdateStack", "DeleteStack"]) {
      assert.strictEqual(proxy.count(call), 0, call)
    }
    aws.close()
  })
})
