/**
 * Every status of a stack, and what each operation does in it. The table in docs/ is written from what happens here.
 */
import { StackStatus } from "@aws-sdk/client-cloudformation"
import { type Checkpoint, type ProviderError, type StackPlan } from "@signalbox/core/spi"
import { testMutation } from "@signalbox/core/testing"
import * as Effect from "effect/Effect"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, describe, expect, it } from "vitest"
import { exitCodeOfError } from "../../../cli/src/main/ExitCode.ts"
import { make } from "../../src/cloudformation/CloudFormationProvider.ts"
import { pack } from "../../src/cloudformation/Deployable.ts"
import { meaningOf } from "../../src/cloudformation/StackStatus.ts"
import { parseTemplate, templateDigest, withRecord } from "../../src/cloudformation/template/Template.ts"
import { tokenOf } from "../../src/cloudformation/Token.ts"
import { refOf, templateOf } from "./platform.ts"
import { standIn } from "./standIn.ts"

const page = fileURLToPath(new URL("../../../../docs/aws-cloudformation-statuses.md", import.meta.url))
const directory = mkdtempSync(join(tmpdir(), "signalbox-statuses-"))
afterAll(() => rmSync(directory, { recursive: true }))

const ref = refOf({ stackName: "the-api" })
const own = tokenOf(ref, "an earlier step")
const artifact = join(directory, "v2.json")
writeFileSync(artifact, JSON.stringify(templateOf("v2")))

const recorded = (version: string) => {
  const body = JSON.stringify(templateOf(version))
  const release = { id: version, version, digest: templateDigest(parseTemplate(body)), configDigest: "" }
  return { release, body: withRecord(body, { release, before: null }) }
}

const [v0, v1] = [recorded("v0"), recorded("v1")]
const checkpoint: Checkpoint = {
  release: v0.release,
  takenAt: 0,
  data: pack({ body: v0.body, parameters: {}, previous: [], capabilities: [] })
}

/** Carries out one operation on a stack in a status; tells what it changed, and how it ended. */
const attempt = async (
  status: string,
  token: string,
  call: (provider: ReturnType<typeof make>) => Effect.Effect<unknown, ProviderError>
): Promise<string> => {
  await using platform = await standIn(status, token, v1.body)
  const provider = make({
    directory,
    endpoint: platform.url,
    region: "eu-west-1",
    credentials: { accessKeyId: "x", secretAccessKey: "x" },
    poll: { first: 1, most: 5 }
  })
  const failure = await Effect.runPromise(
    Effect.match(call(provider), { onFailure: (error) => error, onSuccess: () => undefined })
  )
  const done = platform.calls.filter((name) => !name.endsWith("ChangeSet") || name === "ExecuteChangeSet")
  const how = done.length === 0 ? "" : `${done.join(", ")}: `
  if (failure === undefined) return `${how === "" ? "no change" : how.slice(0, -2)} (0)`
  return `${how}\`${failure.info.code}\` (${exitCodeOfError(failure.info)})`
}

const planned = (provider: ReturnType<typeof make>) =>
  provider.plan(ref, { version: "v2", artifact }, testMutation("plan"))

const staged = (provider: ReturnType<typeof make>) =>
  Effect.flatMap(planned(provider), (plan: StackPlan) =>
    provider.stage(ref, { plan, capacityPercent: 100 }, testMutation("stage"))
  )

const steps: Readonly<Record<ReturnType<typeof meaningOf>["class"], string>> = {
  none: "deploy: the stack is created",
  working: "wait for the end of the operation, or set `onBusy: wait`",
  cleaning: "wait: the outcome is decided",
  usable: "deploy",
  failed: "`signalbox rollback`, or deploy a release that works",
  stuck: "",
  unusable: "deploy: what is left of the creation is deleted, if Signalbox began it"
}

const looked = async (status: string, token: string): Promise<readonly [string, string]> => {
  await using platform = await standIn(status, token, v1.body)
  const provider = make({
    directory,
    endpoint: platform.url,
    region: "eu-west-1",
    credentials: { accessKeyId: "x", secretAccessKey: "x" }
  })
  const { operation, status: seen } = await Effect.runPromise(provider.observe(ref))
  return [
    operation === null ? "free (0)" : operation.foreign ? "blocked (2)" : "blocked by our own execution (2)",
    operation === null ? `reports ${seen}` : `follows it to its end`
  ]
}

const rowsOf = async (status: string): Promise<ReadonlyArray<ReadonlyArray<string>>> => {
  const { class: kind, hint } = meaningOf(status)
  const working = kind === "working" || kind === "cleaning"
  const actors = working
    ? ([
        ["ours", own],
        ["others'", "theirs"]
      ] as const)
    : ([["", ""]] as const)
  return Promise.all(
    actors.map(async ([whose, token]) => [
      `\`${status}\`${whose === "" ? "" : `, ${whose}`}`,
      kind,
      await attempt(status, token, planned),
      await attempt(status, token, staged),
      await attempt(status, token, (provider) => provider.rollback(ref, checkpoint, testMutation("rollback"))),
      await attempt(status, token, (provider) => provider.destroy(ref, testMutation("destroy"))),
      ...(await looked(status, token)),
      hint ?? steps[kind]
    ])
  )
}

const table = (rows: ReadonlyArray<ReadonlyArray<string>>): string => {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  const line = (row: ReadonlyArray<string>) =>
    `| ${row.map((cell, index) => cell.padEnd(widths[index]!)).join(" | ")} |`
  const [head, ...body] = rows
  return [line(head!), `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`, ...body.map(line)].join("\n")
}

describe("the statuses of a stack", () => {
  it("are all handled, as the page says", async () => {
    const statuses = Object.values(StackStatus)
    expect(statuses).toHaveLength(23)
    const head = ["status", "class", "plan", "deploy", "rollback", "destroy", "can-deploy", "monitor", "next step"]
    const rows = [head]
    for (const status of statuses) rows.push(...(await rowsOf(status)).map((row) => [...row]))
    for (const row of rows) for (const cell of row) expect(cell, row.join(" ")).not.toBe("")
    expect(rows.flat().filter((cell) => cell.includes("provider_failed"))).toEqual([])
    await expect(`# Statuses of stacks

Written by \`packages/provider-aws/test/cloudformation/Statuses.test.ts\` from what happens; run it with \`-u\` to write it again.

What each operation does to a stack in each status: the calls that change something, and the exit code. \`deploy\` follows the
plan; \`rollback\` goes to a checkpoint from before. For an operation in progress, there is a row for one of our own, left
by an earlier step, and a row for one of others.

${table(rows)}
`).toMatchFileSnapshot(page)
  })
})
