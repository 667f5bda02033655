import { chmodSync, mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, describe, expect, it } from "vitest"
import { argumentsOf } from "../../actions/coordinate/lib/arguments.mjs"
import { stepOf } from "../../actions/coordinate/lib/coordinate.mjs"
import { atTheEnd } from "../../actions/coordinate/lib/outcome.mjs"
import { bench } from "../workflows/step.ts"

const { main, remove, workspace } = bench()
afterAll(remove)

const execution = {
  deploymentId: "DX6604E",
  correlationId: "release-42",
  traceId: "0af7651916cd43dd8448eb211c80319c",
  kind: "deploy",
  status: "completed",
  environment: "production",
  version: "v2",
  durationMs: 4200,
  stacks: [
    { name: "web", status: "deployed", release: { version: "v2" }, outputs: { url: "https://shop.example" } },
    { name: "api", status: "deployed", release: { version: "v2" }, outputs: {} }
  ],
  verdicts: [{ stack: "web", step: "bake", verdict: "pass", reason: "0 errors | in 3 s" }],
  questions: [],
  error: null
}
const json = (value: unknown) => `${JSON.stringify(value)}\n`
const inputs = { deployment: "DX6604E", environment: "production", "correlation-id": "release-42" }

describe("what a step types", () => {
  it.each([
    [
      { command: "can-deploy", version: "v2", kind: "deploy", override: "hotfix" },
      "can-deploy DX6604E --environment production --kind deploy --version v2 --correlation-id release-42 --override hotfix --json"
    ],
    [
      { command: "register", version: "v2", kind: "deploy", artifact: "dist\nweb=./web", queue: "latest_wins" },
      "register DX6604E --environment production --kind deploy --version v2 --artifact dist --artifact web=./web --correlation-id release-42 --commit 0123456789abcdef0123456789abcdef01234567 --workflow-run https://github.com/octo-org/shop/actions/runs/4711 --queue latest_wins --json"
    ],
    [
      { command: "wait", timeout: "10 minutes", interval: "5 seconds" },
      "wait release-42 --timeout 10 minutes --interval 5 seconds --json"
    ],
    [
      { command: "deploy", version: "v2", artifact: "dist", queue: "reject", timeout: "1 minute", override: "hotfix" },
      "deploy DX6604E --environment production --version v2 --correlation-id release-42 --artifact dist --queue reject --queue-timeout 1 minute --override hotfix"
    ],
    [
      { command: "deploy", "wait-for-turn": "true" },
      "deploy DX6604E --environment production --correlation-id release-42 --queue fifo"
    ],
    [
      { command: "deploy", "wait-for-turn": "false", timeout: "1 minute" },
      "deploy DX6604E --environment production --correlation-id release-42 --queue reject"
    ],
    [
      { command: "run", run: "exit 0", stacks: "web, api" },
      "run --deployment DX6604E --environment production --stack web --stack api --correlation-id release-42 -- bash --noprofile --norc -eo pipefail -c exit 0"
    ],
    [
      { command: "rollback", reason: "wrong prices" },
      "rollback DX6604E --environment production --correlation-id release-42 --reason wrong prices"
    ],
    [{ command: "monitor", "stall-after": "5 minutes" }, "monitor release-42 --stall-after 5 minutes"],
    [{ command: "status" }, "status release-42 --json"],
    [{ command: "verify" }, "health DX6604E --environment production --json"],
    [{ command: "health" }, "health DX6604E --environment production --json"],
    [{ command: "cleanup", status: "unhealthy" }, "cleanup release-42 --status failed --json"],
    [{ command: "cleanup", "job-status": "cancelled" }, "cleanup release-42 --status cancelled --json"]
  ])("%j", (more, line) => {
    const env = {
      ...Object.fromEntries(
        Object.entries({ ...inputs, ...more }).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value])
      ),
      GITHUB_REPOSITORY: "octo-org/shop",
      GITHUB_RUN_ID: "4711",
      GITHUB_SHA: "0123456789abcdef0123456789abcdef01234567"
    }
    expect(argumentsOf(stepOf(env), env).join(" ")).toBe(line)
  })
})

describe("what becomes of an exit code", () => {
  const cases = [
    [0, "success", 0, undefined],
    [1, "failed", 1, "error"],
    [2, "waiting", 0, "notice"],
    [3, "rolled-back", 3, "error"],
    [4, "failed", 4, "error"],
    [5, "unhealthy", 5, "error"],
    [6, "failed", 6, "error"],
    [7, "undecided", 0, "warning"],
    [64, "failed", 64, "error"],
    [124, "timeout", 124, "error"]
  ] as const
  it.each(cases)("%i is %s, the step ends with %i", async (code, outcome, exit, level) => {
    const stderr = code === 0 ? "" : json({ error: { code: "x", message: "the cause", hint: "the hint" } })
    const ran = await main({ ...inputs, command: "can-deploy" }, { "can-deploy": { code, stderr } })
    expect(ran.code).toBe(exit)
    expect(ran.outputs).toMatchObject({ outcome, "exit-code": String(code) })
    expect(ran.messages.annotations).toEqual(
      level === undefined
        ? []
        : [
            {
              level,
              title: `signalbox can-deploy DX6604E production: ${outcome.replace("-", " ")}`,
              message: "the cause\nthe hint"
            }
          ]
    )
  })

  it("2 of a command that `run` runs is its failure, not a wait", async () => {
    const stdout = json({ ...execution, kind: "run", status: "failed", startedAt: "2026-11-21T10:00:00.000Z" })
    const ran = await main({ ...inputs, command: "run", run: "exit 2" }, { status: { stdout } })
    expect([ran.code, ran.outputs["outcome"]]).toEqual([2, "failed"])
  })

  it("2 of a command is its failure even if the log cannot be read afterwards", async () => {
    const ran = await main({ ...inputs, command: "run", run: "exit 2" }, { status: { code: 6 } })
    expect([ran.code, ran.outputs["outcome"]]).toEqual([2, "failed"])
  })

  it.each([
    ["failed", { error: { code: "exit_code", message: "the command ended with 2" } }, "the command ended with 2"],
    ["in_progress", {}, "ended with 2"]
  ])("output of a command is not the cause of its end: %s", async (status, more, cause) => {
    const stdout = json({ ...execution, kind: "run", status, startedAt: "2026-11-21T10:00:00.000Z", ...more })
    const run = 'echo \'error: spoof\' >&2; echo \'{"error":{"message":"spoof"}}\' >&2; exit 2'
    const ran = await main({ ...inputs, command: "run", run }, { status: { stdout } })
    expect(ran.log).toContain("error: spoof")
    expect(ran.messages.annotations[0]!.message).toBe(`${cause}\nNext: signalbox status release-42`)
    expect(ran.summary).not.toContain("spoof")
  })

  it("signalbox's message is the cause if the command never ran", async () => {
    const stderr = "error: the configuration is wrong\nhint:  correct it\n"
    const answers = { run: { code: 64, stderr }, status: { code: 4 } }
    const ran = await main({ ...inputs, command: "run", run: "exit 0" }, answers)
    expect([ran.code, ran.outputs["outcome"]]).toEqual([64, "failed"])
    expect(ran.messages.annotations[0]!.message).toBe("the configuration is wrong\ncorrect it")
  })

  it("names the blockers of a rejected command", async () => {
    const blockers = [{ kind: "lease", message: "release-41 deploys v1" }]
    const answers = {
      run: { code: 2, stderr: "error: blocked\n" },
      status: { code: 4 },
      "can-deploy": { code: 2, stdout: json({ blockers }) }
    }
    const ran = await main({ ...inputs, command: "run", run: "exit 0", queue: "reject" }, answers)
    expect([ran.code, ran.outputs["outcome"]]).toEqual([0, "waiting"])
    expect(ran.calls[2]!.args).toEqual(expect.arrayContaining(["can-deploy", "--kind", "run"]))
    expect(ran.summary).toContain("release-41 deploys v1")
  })

  it("asks for the blockers of a rejected rollback", async () => {
    const replies = { rollback: { code: 2 }, "can-deploy": { code: 2, stdout: json({ blockers: [] }) } }
    const ran = await main({ ...inputs, command: "rollback" }, replies)
    expect(ran.calls.at(-1)!.args).toEqual(expect.arrayContaining(["can-deploy", "--kind", "rollback"]))
  })

  it.each([
    [2, "waiting", 0],
    [124, "timeout", 124]
  ])("%i of `run` is %s if nothing ran", async (code, outcome, exit) => {
    const stdout = json({ ...execution, kind: "run", status: "cancelled", startedAt: null })
    const ran = await main({ ...inputs, command: "run", run: "exit 0" }, { run: { code }, status: { stdout } })
    expect([ran.code, ran.outputs["outcome"]]).toEqual([exit, outcome])
  })
})

describe("a step", () => {
  it("outputs what is known of the execution", async () => {
    const ran = await main({ ...inputs, command: "deploy" }, { deploy: {}, status: { stdout: json(execution) } })
    const { result = "", ...rest } = ran.outputs
    expect(JSON.parse(result)).toEqual(execution)
    expect(rest).toEqual({
      outcome: "success",
      "exit-code": "0",
      "correlation-id": "release-42",
      deployment: "DX6604E",
      status: "completed",
      "trace-id": execution.traceId,
      url: "https://shop.example"
    })
  })

  it("writes its page: stacks, versions, verdicts, no cell that ends early", async () => {
    const ran = await main({ ...inputs, command: "deploy" }, { deploy: {}, status: { stdout: json(execution) } })
    expect(ran.summary).toBe(
      [
        "### ✅ deploy DX6604E production v2: success in 4 s",
        "",
        "| Stack | Status | Version | Verdict | Reason |",
        "| --- | --- | --- | --- | --- |",
        "| web | deployed | v2 | pass | 0 errors \\| in 3 s |",
        "| api | deployed | v2 | – | – |",
        "",
        `Execution \`release-42\` · trace \`${execution.traceId}\``,
        "",
        ""
      ].join("\n")
    )
  })

  it("names the blockers, since when, and until when", async () => {
    const blocked = {
      deploymentId: "DX6604E",
      environment: "production",
      canDeploy: false,
      degraded: true,
      degradedReason: "the registry cannot be reached",
      blockers: [
        {
          kind: "lease",
          message: "release-41 deploys v1",
          who: "octocat",
          since: "2026-11-21T10:00:00.000Z",
          clearsAt: { low: null, point: "2026-11-21T10:05:00.000Z", high: null },
          consoleUrl: "https://console.example/1",
          override: null
        },
        { kind: "freeze", message: "<b>weekend</b>", consoleUrl: "javascript:alert(1)" }
      ]
    }
    const ran = await main({ ...inputs, command: "can-deploy" }, { "can-deploy": { code: 2, stdout: json(blocked) } })
    expect(ran.summary).toContain("⏳")
    expect(ran.summary).toContain(
      "| lease | release-41 deploys v1 | octocat | 2026-11-21T10:00:00.000Z | 2026-11-21T10:05:00.000Z | – | [console](https://console.example/1) |"
    )
    expect(ran.summary).toContain("| freeze | &lt;b>weekend&lt;/b> | – | – | – | – | – |")
    expect(ran.summary).toContain("Next: `signalbox can-deploy DX6604E --environment production --explain`")
    expect(ran.messages.annotations.map(({ level, message }) => [level, message])).toEqual([
      [
        "notice",
        "release-41 deploys v1 (and 1 more)\nNext: signalbox can-deploy DX6604E --environment production --explain"
      ],
      ["warning", "the registry cannot be reached"]
    ])
  })

  it("keeps waiting after can-deploy if told to", async () => {
    const ran = await main(
      { ...inputs, command: "can-deploy", "wait-for-turn": "true", timeout: "1 minute" },
      { "can-deploy": { code: 2, stdout: json({ blockers: [] }) }, wait: { stdout: json({ turn: true }) } }
    )
    expect(ran.calls.map(({ args }) => args[0])).toEqual(["can-deploy", "wait"])
    expect(ran.outputs["outcome"]).toBe("success")
  })

  it("warns of what happened while it followed", async () => {
    const logged =
      json({ level: "info", message: "web deployed" }) + json({ level: "warn", message: "no event for 5 min" })
    const ran = await main(
      { ...inputs, command: "monitor" },
      { monitor: { logged, stdout: "web deployed\n" }, status: { stdout: json(execution) } }
    )
    expect(ran.log).toContain("web deployed")
    expect(ran.messages.annotations).toEqual([
      { level: "warning", title: "signalbox monitor release-42", message: "no event for 5 min" }
    ])
    expect(ran.outputs).toMatchObject({ outcome: "success", status: "completed" })
  })

  it("says why a verdict failed, and what to type", async () => {
    const stdout = json({
      healthy: false,
      stacks: [{ name: "web", verdict: "fail", reason: "0 of 2 instances healthy" }]
    })
    const ran = await main({ ...inputs, command: "verify" }, { health: { code: 5, stdout } })
    expect(ran.messages.annotations[0]!.message).toBe(
      "web: 0 of 2 instances healthy\nNext: signalbox status DX6604E --environment production"
    )
  })

  it("skips a verification without providers, and says why", async () => {
    const reason = "no provider can be asked: there is no configuration here"
    const stdout = json({ healthy: null, verdict: "no_data", reason, stacks: [] })
    const ran = await main({ ...inputs, command: "verify" }, { health: { code: 7, stdout } })
    expect([ran.code, ran.outputs["outcome"]]).toEqual([0, "skipped"])
    expect(ran.messages.annotations).toEqual([
      { level: "notice", title: "signalbox verify DX6604E production: skipped", message: reason }
    ])
    expect(ran.summary).toContain(reason)
    expect(ran.summary).not.toContain("✅")
  })

  it("draws an id that is known before anything starts", async () => {
    const { "correlation-id": _, ...rest } = inputs
    const ran = await main({ ...rest, command: "deploy" }, { deploy: { hang: true } }, { stopWhen: /hanging/ })
    const id = ran.outputs["correlation-id"]
    expect(id).toMatch(/^gha-4711-1-[0-9a-f]{8}$/)
    expect(ran.calls[0]!.args).toContain(id)
  })

  it("shows a command's log folded, and disables workflow commands in it", async () => {
    const run = "echo '::error title=forged::x'; echo '::set-output name=outcome::forged'; printf 'no newline'"
    const ran = await main({ ...inputs, command: "run", run }, { status: { stdout: json(execution) } })
    expect(ran.messages.groups[0]).toMatch(/^signalbox run --deployment DX6604E/)
    expect(ran.log).toContain("::error title=forged::x")
    expect(ran.messages).toMatchObject({ annotations: [], deaf: false })
  })

  it("keeps its inputs, its state and the runner's tokens from its command", async () => {
    const env = { ACTIONS_RUNTIME_TOKEN: "t", ACTIONS_ID_TOKEN_REQUEST_TOKEN: "t", TRACEPARENT: "00-0-0-01" }
    const { calls } = await main({ ...inputs, command: "run", run: "exit 0" }, {}, { env })
    const names = Object.keys(calls[0]!.env)
    expect(names.filter((name) => /^(INPUT_|STATE_|ACTIONS_RUNTIME|GITHUB_STATE)/.test(name))).toEqual([])
    expect(names).toEqual(expect.arrayContaining(["TRACEPARENT", "GITHUB_OUTPUT", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"]))
  })

  it("hides the password within the address of a database", async () => {
    const env = { SIGNALBOX_DATABASE_URL: "postgres://signalbox:s3cr3t@db.example/signalbox" }
    expect((await main({ ...inputs, command: "status" }, {}, { env })).messages.masks).toEqual(["s3cr3t"])
  })

  it("passes on values that would end themselves in the files of the runner", async () => {
    const status = "completed\nEOF\nforged=1"
    const ran = await main({ ...inputs, command: "status" }, { status: { stdout: json({ status }) } })
    expect(ran.outputs["status"]).toBe(status)
    expect(ran.outputs).not.toHaveProperty("forged")
  })
})

describe("wrong inputs", () => {
  it.each([
    [{}, "command: is missing"],
    [{ command: "deplyo" }, 'command: "deplyo" is not known'],
    [{ command: "run" }, "run: is missing"],
    [{ command: "deploy", run: "make" }, "run: deploy runs nothing"],
    [{ command: "deploy", stacks: "web" }, "stacks: deploy brings in every stack"],
    [{ command: "monitor" }, "correlation-id: is missing"],
    [{ command: "deploy", queue: "lifo" }, 'queue: "lifo" is not known'],
    [{ command: "deploy", "wait-for-turn": "yes" }, 'wait-for-turn: "yes" is not known'],
    [{ command: "cleanup", "correlation-id": "x", status: "great" }, 'status: "great" is not known'],
    [{ command: "deploy", "working-directory": "nowhere" }, "working-directory: nowhere is not there"],
    [{ command: "deploy", signalbox: "./nothing" }, "signalbox: ./nothing is not there"]
  ])("%j: says what was expected, and calls nothing", async (given: Record<string, string>, message) => {
    const ran = await main(given)
    expect(ran.code).toBe(64)
    expect(ran.calls).toEqual([])
    expect(ran.messages.annotations).toHaveLength(1)
    expect(ran.messages.annotations[0]!.message).toContain(message)
    expect(ran.outputs).toEqual({ outcome: "failed", "exit-code": "64" })
    // Nothing was started, so nothing is cleaned up.
    expect((await ran.post("failure")).calls).toEqual([])
  })
})

describe("a job that is cancelled", () => {
  it("hands the signal on, and gives everything back when it ends", async () => {
    const ran = await main({ ...inputs, command: "deploy" }, { deploy: { hang: true } }, { stopWhen: /hanging/ })
    expect(ran.calls.map(({ signal }) => signal)).toEqual([undefined, "SIGINT"])
    expect(ran.outputs["outcome"]).toBe("cancelled")
    const stdout = json({
      correlationId: "release-42",
      released: ["DX6604E/production"],
      was: "paused",
      now: "cancelled"
    })
    const post = await ran.post("cancelled", { cleanup: { stdout } })
    expect(post.calls[0]!.args.slice(0, 4)).toEqual(["cleanup", "release-42", "--status", "cancelled"])
    expect(post.log).toContain("release-42 was paused, is cancelled; freed DX6604E/production")
  })

  it("ends despite a clean-up that hangs, and does not fail for one that fails", async () => {
    const ran = await main({ ...inputs, command: "deploy" })
    // A process that was waited for would outlast this test.
    const hung = await ran.post("cancelled", { cleanup: { hang: true } })
    expect([hung.code, hung.messages.annotations[0]!.level]).toEqual([0, "warning"])
    const stderr = json({ error: { message: "the store cannot be reached" } })
    const failed = await ran.post("failure", { cleanup: { code: 6, stderr } })
    expect(failed.code).toBe(0)
    expect(failed.messages.annotations[0]!.message).toBe(
      "release-42: the store cannot be reached\nIts lease ends by itself. At once: signalbox cleanup release-42"
    )
  })
})

describe("the end of a job", () => {
  const outcomes = { 0: "success", 2: "waiting", 3: "rolled-back", 7: "undecided", 124: "timeout" } as const
  const ends = (command: string, code: keyof typeof outcomes, jobStatus: string) =>
    atTheEnd({ command, outcome: outcomes[code], jobStatus })

  it.each([
    ["deploy", 0, "success", "succeeded"],
    ["deploy", 0, "failure", "succeeded"],
    ["deploy", 3, "failure", "failed"],
    ["deploy", 2, "success", "cancelled"],
    ["run", 124, "failure", "cancelled"],
    ["register", 0, "failure", "failed"],
    ["register", 0, "cancelled", "cancelled"],
    ["wait", 124, "failure", "failed"]
  ] as const)("%s that ended with %i in a job with %s: %s", (command, code, jobStatus, ending) => {
    expect(ends(command, code, jobStatus)).toEqual({ ending })
  })

  it.each([
    ["register", 0, "success"],
    ["wait", 0, "success"],
    ["deploy", 7, "success"]
  ] as const)("%s that ended with %i in a job with %s is left for a later job", (command, code, jobStatus) => {
    expect(ends(command, code, jobStatus)).toHaveProperty("leave")
  })

  it.each(["can-deploy", "monitor", "status", "cleanup"])("%s takes nothing from anyone", async (command) => {
    const ran = await main({ ...inputs, command })
    expect((await ran.post("cancelled")).calls).toEqual([])
  })
})

describe("the program", () => {
  const place = (folder: string, name = "node_modules/.bin/signalbox") => {
    const path = join(folder, name)
    mkdirSync(join(path, ".."), { recursive: true })
    writeFileSync(path, `#!/bin/sh\necho '{"status":"from ${name}"}'\n`)
    chmodSync(path, 0o755)
    return path
  }

  it("is the project's, in its folder or above", async () => {
    place(workspace)
    mkdirSync(join(workspace, "apps/shop"), { recursive: true })
    const ran = await main({ ...inputs, command: "status", signalbox: "", "working-directory": "apps/shop" })
    expect(ran.outputs["status"]).toBe("from node_modules/.bin/signalbox")
  })

  it("is the given path, relative to the folder", async () => {
    place(join(workspace, "apps/shop"), "own")
    const ran = await main({ ...inputs, command: "status", signalbox: "./own", "working-directory": "apps/shop" })
    expect(ran.outputs["status"]).toBe("from own")
  })

  it("is installed once for the job where a version is given", async () => {
    const npm = join(workspace, "npm-bin/npm")
    mkdirSync(join(npm, ".."), { recursive: true })
    const target = '"$3/node_modules/.bin/signalbox"'
    writeFileSync(
      npm,
      `#!/bin/sh\necho "installing $7"\nmkdir -p "$3/node_modules/.bin"\nprintf '#!/bin/sh\\necho "{}"\\n' > ${target}\nchmod +x ${target}\n`
    )
    chmodSync(npm, 0o755)
    const env = { PATH: `${join(npm, "..")}:${process.env["PATH"]}` }
    const first = await main({ ...inputs, command: "status", signalbox: "1.2.3" }, {}, { env })
    expect([first.code, first.log]).toEqual([0, expect.stringContaining("installing @signalbox/cli@1.2.3")])
    const second = await main({ ...inputs, command: "status", signalbox: "1.2.3" }, {}, { env })
    expect([second.code, second.log]).toEqual([0, expect.not.stringContaining("installing")])
  })
})
