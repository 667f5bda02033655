import { assert, describe, it } from "vitest"
import * as Cause from "effect/Cause"
import {
  causeInfo,
  CorrelationId,
  DeploymentId,
  EnvironmentName,
  errorInfo,
  Event,
  ExecutionStatus,
  LeaseHeld,
  LeaseLost,
  NotifyError,
  ProviderError,
  StackName,
  StoreError,
  StrategyName
} from "@signalbox/core/spi"
import { reject } from "@signalbox/core/api"
import { ConfigurationInvalid } from "@signalbox/core/config"
import * as Domain from "@signalbox/core/domain"
import * as Schema from "effect/Schema"
import { eventTags, executionStatuses, isFinished, strategies } from "../src/commands/choices.ts"
import { Actor } from "../src/commands/flags.ts"
import { exitCodeOf } from "../src/main/ExitCode.ts"
import { failureOf, failureOfCause } from "../src/main/Failure.ts"
import { wantsColor } from "../src/host/color.ts"
import { isWaiting } from "../src/waiting/lookAt.ts"
import { execution } from "./states.ts"

const lease = {
  key: "environment/DX6604E/production",
  holder: "other-run",
  owner: "ci-7",
  fence: 3,
  acquiredAt: Date.now() - 60_000,
  expiresAt: Date.now() + 15_000,
  reason: "deploy by ada"
}
const stack = { stack: "web", known: [] }
const away = new StoreError({ operation: "append", reason: "Unavailable", detail: "d" })
const provider = (reason: ProviderError["reason"]) =>
  new ProviderError({ provider: "local", operation: "plan", stackName: "web", reason })

const channel = (reason: NotifyError["reason"]) => new NotifyError({ channel: "ops", notifier: "slack", reason })

describe("exit codes", () => {
  it.each([
    ["completed", 0],
    ["failed", 1],
    ["rolled_back", 3],
    ["cancelled", 1],
    ["paused", 7]
  ] as const)("an execution that is %s exits with %d", (status, code) => {
    assert.strictEqual(exitCodeOf({ status }, undefined), code)
  })

  it.each([
    [errorInfo("overtaken", { execution: "b", by: "ada" }), 2],
    [errorInfo("blocked_by_veto", { version: "2", by: "ada" }), 2],
    [errorInfo("blocked_by_stale_order", { state: "deployed" }), 2],
    [errorInfo("withdrawn", { by: "ada" }), 1],
    [errorInfo("queue_timeout", { afterMs: 1 }), 124],
    [errorInfo("interrupted", { during: "queue" }), 1]
  ])("one that was cancelled because of $code exits with %d", (error, exit) => {
    assert.strictEqual(exitCodeOf({ status: "cancelled", error }, undefined), exit)
  })

  it("one that asks for credentials exits with 7, in the middle of a rollback too", () => {
    const question = causeInfo("credentials_needed", { provider: "aws" })
    const questions = [{ stack: StackName.make("web"), question }]
    assert.strictEqual(exitCodeOf({ status: "paused", questions }, undefined), 7)
    assert.strictEqual(exitCodeOf({ status: "rolling_back", questions }, undefined), 7)
    assert.strictEqual(exitCodeOf({ status: "rolling_back" }, undefined), 0)
  })

  it("a signal that stopped it takes precedence over its state", () => {
    assert.strictEqual(exitCodeOf({ status: "paused" }, "SIGINT"), 130)
    assert.strictEqual(exitCodeOf({ status: "cancelled" }, "SIGTERM"), 143)
    assert.strictEqual(exitCodeOf({ status: "paused" }, "SIGHUP"), 129)
    assert.strictEqual(exitCodeOf({ status: "completed" }, "SIGINT"), 0)
  })

  it("a command that was stopped for its lease exits as if the store were unavailable", () => {
    assert.strictEqual(exitCodeOf({ status: "failed", error: errorInfo("lease_expired", {}) }, undefined), 6)
    assert.strictEqual(exitCodeOf({ status: "failed", error: errorInfo("command_failed", { code: 1 }) }, undefined), 1)
  })

  it.each([
    ["invalid request", reject("stack_missing", { kind: "deploy-stack" }), 64],
    ["unknown thing", reject("unknown_stack", stack), 4],
    ["blocked", reject("being_recorded", { execution: "a" }), 2],
    ["conflict", reject("deployment_exists", { deployment: "DX6604E" }), 1],
    ["held lease", new LeaseHeld({ lease }), 2],
    ["lost lease", new LeaseLost({ key: "k", fence: 1 }), 1],
    ["lease lost to an outage", new LeaseLost({ key: "k", fence: 1, outage: away }), 6],
    ["store", away, 6],
    [
      "configuration",
      new ConfigurationInvalid({ issues: [{ path: "a", message: "m", expected: "e", hint: "h" }] }),
      64
    ],
    ["properties", provider({ _tag: "Invalid", message: "m", path: ["x"] }), 64],
    ["busy stack", provider({ _tag: "Busy", message: "m", operation: "o" }), 2],
    ["provider away", provider({ _tag: "Unavailable", message: "m" }), 6],
    ["broken release", provider({ _tag: "Broken", message: "m" }), 1],
    ["channel away", channel({ _tag: "Unavailable", message: "m" }), 6],
    ["channel with a missing secret", channel({ _tag: "Denied", message: "m" }), 1],
    ["options of a channel", channel({ _tag: "Invalid", message: "m", path: ["url"] }), 64],
    ["anything else", new Error("boom\n    at secret"), 1]
  ])("%s", (_, error, code) => {
    const failure = failureOf(error)
    assert.strictEqual(failure.exitCode, code)
    assert.isNotEmpty(failure.info.code)
    assert.isNotEmpty(failure.info.hint)
    assert.notInclude(failure.info.message, "    at ")
    assert.deepEqual(failureOfCause(Cause.fail(error))?.info, failure.info)
  })

  it("names the holder, since when, until when and what to type", () => {
    const place = { deployment: DeploymentId.make("DX6604E"), environment: EnvironmentName.make("production") }
    const execution = CorrelationId.make("other-run")
    const { info } = failureOf(
      reject(
        "blocked_by_lease",
        { ...place, execution, kind: "deploy", by: "ada" },
        { lease, remedies: [{ _tag: "queue" }, { _tag: "explain", ...place }, { _tag: "attach", execution }] }
      )
    )
    assert.match(
      info.message,
      /^other-run holds the lease on DX6604E production \(deploy by ada\) since \d\d:\d\d:\d\d; unless renewed, its lease ends at \d\d:\d\d:\d\d$/
    )
    for (const typed of [
      "--queue fifo",
      "signalbox can-deploy DX6604E --environment production --explain",
      "signalbox attach other-run"
    ]) {
      assert.include(info.hint, typed)
    }
    // A command that has begun before is not requested again.
    assert.notInclude(failureOf(new LeaseHeld({ lease })).info.hint, "--queue")
  })

  it("knows the claim of a runner from a lock", () => {
    const claim = { ...lease, key: "execution/release-42", holder: "vm/4711/uuid" }
    const { info } = failureOf(new LeaseHeld({ lease: claim }))
    assert.match(info.message, /^another process runs release-42 since/)
    assert.include(info.hint, "signalbox attach release-42")
  })

  it("an interruption is no failure", () => {
    assert.isUndefined(failureOfCause(Cause.interrupt(1)))
  })
})

describe("words written out", () => {
  it("match the domain's", () => {
    assert.deepEqual([...strategies], [...StrategyName.literals])
    assert.deepEqual([...executionStatuses], [...ExecutionStatus.literals])
    assert.sameMembers(
      [...eventTags],
      Object.keys(Event.cases).filter((tag) => tag !== "Unknown")
    )
    for (const actor of ["", "a", "a".repeat(256), "a".repeat(257)]) {
      assert.strictEqual(Schema.is(Actor)(actor), Schema.is(Domain.Actor)(actor))
    }
  })

  it("describe an execution as the domain does", () => {
    for (const status of executionStatuses) {
      for (const more of [{}, { queue: "fifo" }, { queue: "fifo", turnAt: 1 }, { turnAt: 1 }] as const) {
        const state = execution({ status, ...more })
        assert.strictEqual(isFinished(state), Domain.Execution.isFinished(state))
        assert.strictEqual(isWaiting(state), Domain.Execution.isQueued(state))
      }
    }
  })
})

describe("colour", () => {
  const sink = (isTTY: boolean) => ({
    isTTY,
    columns: () => 80,
    rows: () => 24,
    write: () => undefined,
    pass: () => undefined,
    onResize: () => () => undefined
  })
  it.each([
    [{}, true, undefined, true],
    [{}, false, undefined, false],
    [{ NO_COLOR: "1" }, true, undefined, false],
    [{ NO_COLOR: "" }, true, undefined, true],
    [{ FORCE_COLOR: "1" }, false, undefined, true],
    [{ FORCE_COLOR: "0" }, true, undefined, false],
    [{ TERM: "dumb" }, true, undefined, false],
    [{ NO_COLOR: "1", FORCE_COLOR: "1" }, true, undefined, false],
    [{}, true, false, false],
    [{ NO_COLOR: "1" }, false, true, true]
  ] as const)("%j, terminal %s, flag %s: %s", (env, isTTY, flag, expected) => {
    assert.strictEqual(wantsColor(env, sink(isTTY), flag), expected)
  })
})
