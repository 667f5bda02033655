/**
 * Runs a workflow of this repository on this machine, one job after another, with the real files of the runner. It is
 * for tests: matrices, containers, services and foreign actions are not supported. A foreign action has no replacement,
 * and must be named.
 */
import { mkdirSync, mkdtempSync } from "node:fs"
import { dirname, join } from "node:path"
import type { TemplateToken } from "@actions/workflow-parser/templates/tokens/index"
import type { Job, Step } from "@actions/workflow-parser/model/workflow-template"
import { bin, read, root } from "../test/repository.ts"
import { type Ended, runChild } from "./child.ts"
import { type Contexts, holds, type Standing, textOf } from "./expressions.ts"
import { type StepFiles, stepFiles } from "./files.ts"
import { type Annotation, messagesOf } from "./messages.ts"
import { actionOf, at, entries, items, workflowOf } from "./template.ts"

export type Result = "success" | "failure" | "cancelled" | "skipped"

export interface StepRun {
  readonly job: string
  readonly id: string
  readonly name: string
  readonly stage: "main" | "post"
  readonly outcome: Result
  readonly log: string
  readonly outputs: Readonly<Record<string, string>>
  readonly stoppedAfter?: number | undefined
}

export interface WorkflowRun {
  readonly result: Result
  readonly outputs: Readonly<Record<string, string>>
  readonly jobs: Readonly<
    Record<string, { readonly result: Result; readonly outputs: Readonly<Record<string, string>> }>
  >
  readonly steps: ReadonlyArray<StepRun>
  readonly annotations: ReadonlyArray<Annotation>
  readonly masks: ReadonlyArray<string>
  readonly summary: string
  readonly log: string
}

export interface Call {
  /** Path of the workflow in this repository. */
  readonly workflow: string
  readonly inputs?: Readonly<Record<string, string | boolean | number>>
  readonly secrets?: Readonly<Record<string, string>>
  /** Folder of the caller's checkout. */
  readonly workspace: string
  /** Foreign actions without a replacement. */
  readonly replaced: ReadonlyArray<string>
  /** Variables that every step has. */
  readonly env?: Readonly<Record<string, string>>
  /** Cancels the run as soon as the step of this id has written this. */
  readonly cancel?: { readonly step: string; readonly when: RegExp }
}

type Values = Readonly<Record<string, string>>

/** The environment of a runner: nothing from around this test except the path to its tools. */
const machine = (call: Call, temp: string): Values => ({
  PATH: `${bin}:${process.env["PATH"] ?? ""}`,
  HOME: temp,
  CI: "true",
  GITHUB_ACTIONS: "true",
  GITHUB_ACTOR: "octocat",
  GITHUB_REPOSITORY: "octo-org/shop",
  GITHUB_RUN_ATTEMPT: "1",
  GITHUB_RUN_ID: "4711",
  GITHUB_SERVER_URL: "https://github.com",
  GITHUB_SHA: "0123456789abcdef0123456789abcdef01234567",
  GITHUB_WORKSPACE: call.workspace,
  RUNNER_TEMP: temp,
  // A JavaScript action has this, a command of a step has not.
  ACTIONS_RUNTIME_TOKEN: "runtime-token",
  ...call.env
})

const github = {
  sha: "0123456789abcdef0123456789abcdef01234567",
  repository: "octo-org/shop",
  run_id: "4711",
  run_attempt: "1",
  actor: "octocat",
  ref_name: "main",
  event_name: "push"
}

/** The inputs of a call with their defaults; missing or unknown ones are thrown, as GitHub does. */
const inputsOf = (tree: TemplateToken, given: NonNullable<Call["inputs"]>): Contexts => {
  const declared = entries(at(tree, "on", "workflow_call", "inputs"))
  const unknown = Object.keys(given).filter((name) => !declared.some(([one]) => one === name))
  if (unknown.length > 0) throw new Error(`Invalid input, ${unknown} is not defined in the referenced workflow.`)
  return Object.fromEntries(
    declared.map(([name, input]) => {
      const value = given[name]
      const type = at(input, "type")?.toString()
      if (value === undefined && at(input, "required")?.toString() === "true") {
        throw new Error(`Input ${name} is required, but not provided while calling.`)
      }
      if (value !== undefined && typeof value !== type) throw new Error(`Input ${name} is not a ${type}.`)
      const preset = at(input, "default")?.toString() ?? ""
      return [name, value ?? (type === "boolean" ? preset === "true" : type === "number" ? Number(preset) : preset)]
    })
  )
}

interface Post {
  readonly step: StepRun
  readonly run: (status: string) => Promise<Ended>
  readonly files: StepFiles
}

const evaluated = (token: TemplateToken | undefined, contexts: Contexts): Values =>
  Object.fromEntries(entries(token).map(([name, value]) => [name, textOf(value, contexts)]))

/** A running workflow. */
class LocalRunner {
  readonly steps: Array<StepRun> = []
  readonly jobs: Record<string, { result: Result; outputs: Values }> = {}
  cancelled = false
  summary = ""
  readonly call: Call
  readonly temp: string
  readonly contexts: Contexts

  constructor(call: Call, tree: TemplateToken) {
    this.call = call
    this.temp = mkdtempSync(join(dirname(call.workspace), "runner-"))
    this.contexts = {
      github,
      inputs: inputsOf(tree, call.inputs ?? {}),
      secrets: call.secrets ?? {},
      vars: {},
      runner: { os: "Linux", temp: this.temp },
      strategy: {},
      matrix: {}
    }
  }

  needsOf(names: ReadonlyArray<string>): Contexts {
    return Object.fromEntries(names.map((name) => [name, this.jobs[name]]))
  }

  async job(job: Job, tree: TemplateToken): Promise<void> {
    const id = job.id.toString()
    const needed = (job.needs ?? []).map(String)
    const needs = this.needsOf(needed)
    const results = needed.map((name) => this.jobs[name]!.result)
    const standing: Standing = {
      success: !this.cancelled && results.every((result) => result === "success"),
      failure: results.includes("failure"),
      cancelled: this.cancelled
    }
    if (!holds(job.if, { ...this.contexts, needs }, standing)) {
      this.jobs[id] = { result: "skipped", outputs: {} }
      return
    }
    const steps: Record<string, unknown> = {}
    const posts: Array<Post> = []
    let failed = false
    const exported: Record<string, string> = {}
    const status = () => (this.cancelled ? "cancelled" : failed ? "failure" : "success")
    const context = (env: Values) => ({ ...this.contexts, needs, steps, env, job: { status: status() } })
    const jobEnv = evaluated(at(tree, "env"), context({}))

    const trees = items(at(tree, "steps"))
    for (const [index, step] of job.steps.entries()) {
      const token = trees[index]!
      const outer = { ...jobEnv, ...exported }
      const env = { ...outer, ...evaluated(at(token, "env"), context(outer)) }
      const now: Standing = {
        success: status() === "success",
        failure: failed && !this.cancelled,
        cancelled: this.cancelled
      }
      if (!holds(at(token, "if") === undefined ? undefined : step.if, context(env), now)) {
        steps[step.id] = { outcome: "skipped", conclusion: "skipped", outputs: {} }
        continue
      }
      const done = await this.step(id, step, token, env, (more) => context({ ...env, ...more }), posts)
      if (done === undefined) continue
      if (done.step.outcome === "failure") failed = true
      steps[step.id] = { outcome: done.step.outcome, conclusion: done.step.outcome, outputs: done.step.outputs }
      Object.assign(exported, done.files.values("env"))
    }
    for (const { files, run, step } of posts.toReversed()) {
      const { code, log } = await run(status())
      this.steps.push({ ...step, stage: "post", outcome: code === 0 ? "success" : "failure", log, outputs: {} })
      this.summary += files.read("summary")
    }
    this.jobs[id] = { result: status() as Result, outputs: evaluated(at(tree, "outputs"), context(jobEnv)) }
  }

  async step(
    job: string,
    step: Step,
    token: TemplateToken,
    env: Values,
    context: (env: Values) => Contexts,
    posts: Array<Post>
  ): Promise<{ readonly step: StepRun; readonly files: StepFiles } | undefined> {
    const uses = at(token, "uses")?.toString()
    if (uses !== undefined && this.call.replaced.includes(uses.split("@")[0]!)) return undefined
    const files = stepFiles(this.temp)
    const common = { ...machine(this.call, this.temp), GITHUB_JOB: job, ...env, ...files.env }
    const stopWhen = this.call.cancel?.step === step.id && !this.cancelled ? this.call.cancel.when : undefined
    const named = { job, id: step.id, name: textOf(at(token, "name"), context({})), stage: "main" as const }
    const finish = ({ code, log, stoppedAfter }: Ended): StepRun => {
      if (stoppedAfter !== undefined) this.cancelled = true
      const outcome = stoppedAfter !== undefined ? "cancelled" : code === 0 ? "success" : "failure"
      const run = { ...named, outcome, log, stoppedAfter, outputs: files.values("output") } as const
      this.steps.push(run)
      this.summary += files.read("summary")
      return run
    }
    if (uses === undefined) {
      const { ACTIONS_RUNTIME_TOKEN: _, ...visible } = common as Record<string, string>
      const script = textOf(at(token, "run"), context({}))
      const folder = textOf(at(token, "working-directory"), context({}))
      const ended = await runChild("bash", ["--noprofile", "--norc", "-eo", "pipefail", "-c", script], {
        cwd: join(this.call.workspace, folder),
        env: visible,
        stopWhen
      })
      return { step: finish(ended), files }
    }
    if (!uses.startsWith("$/")) throw new Error(`${uses} is not an action of this repository, and is not replaced`)
    const folder = join(root, uses.slice(2))
    const manifest = actionOf(uses, read(`${uses.slice(2)}/action.yml`))
    const given = evaluated(at(token, "with"), context({}))
    const declared = entries(at(manifest, "inputs"))
    const unexpected = Object.keys(given).filter((name) => !declared.some(([one]) => one === name))
    if (unexpected.length > 0) throw new Error(`Unexpected input(s) '${unexpected.join("', '")}' of ${uses}`)
    // Defaults are evaluated again for each stage, as the runner does.
    const inputs = () =>
      Object.fromEntries(
        declared.map(([name, input]) => [
          `INPUT_${name.replaceAll(" ", "_").toUpperCase()}`,
          given[name] ?? textOf(at(input, "default"), context({}))
        ])
      )
    const runEntry = (entry: string, more: Values, stop?: RegExp) =>
      runChild(join(bin, "node"), [join(folder, at(manifest, "runs", entry)!.toString())], {
        cwd: this.call.workspace,
        env: { ...common, ...inputs(), ...more },
        stopWhen: stop
      })
    const done = finish(await runEntry("main", {}, stopWhen))
    const later = stepFiles(this.temp)
    posts.push({
      step: done,
      files: later,
      run: () => {
        const state = Object.entries(files.values("state")).map(([name, value]) => [`STATE_${name}`, value] as const)
        return runEntry("post", { ...Object.fromEntries(state), ...later.env })
      }
    })
    return { step: done, files }
  }
}

/** Runs a workflow to its end. */
export const runWorkflow = async (call: Call): Promise<WorkflowRun> => {
  const { template, tree } = await workflowOf(call.workflow, read(call.workflow))
  mkdirSync(call.workspace, { recursive: true })
  const runner = new LocalRunner(call, tree)
  for (const job of template.jobs) await runner.job(job as Job, at(tree, "jobs", job.id.toString())!)
  const { jobs, steps, summary } = runner
  const results = Object.values(jobs).map(({ result }) => result)
  const messages = steps.map(({ log }) => messagesOf(log))
  if (messages.some(({ deaf }) => deaf)) throw new Error("a step left the commands of the runner switched off")
  return {
    result: runner.cancelled ? "cancelled" : results.includes("failure") ? "failure" : "success",
    outputs: Object.fromEntries(
      entries(at(tree, "on", "workflow_call", "outputs")).map(([name, output]) => [
        name,
        textOf(at(output, "value"), { ...runner.contexts, jobs })
      ])
    ),
    jobs,
    steps,
    annotations: messages.flatMap(({ annotations }) => annotations),
    masks: messages.flatMap(({ masks }) => masks),
    summary,
    log: steps.map(({ log }) => log).join("")
  }
}
