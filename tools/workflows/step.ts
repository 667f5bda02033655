import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { bin, root } from "../test/repository.ts"
import { type Ended, runChild } from "./child.ts"
import { type StepFiles, stepFiles } from "./files.ts"
import { type Messages, messagesOf } from "./messages.ts"

const action = join(root, "actions/coordinate")

/** What the stand-in answers, by its command. */
export type Answers = Readonly<
  Record<
    string,
    {
      readonly code?: number
      readonly stdout?: string
      readonly stderr?: string
      readonly hang?: boolean
      readonly logged?: string
    }
  >
>

export interface Call {
  readonly args: ReadonlyArray<string>
  readonly env: Readonly<Record<string, string>>
  readonly signal?: string
}

export interface Stage extends Ended {
  readonly messages: Messages
  /** How the stand-in was called, and which signals came to it. */
  readonly calls: ReadonlyArray<Call>
}

export interface MainStage extends Stage {
  readonly files: StepFiles
  readonly outputs: Readonly<Record<string, string>>
  readonly summary: string
  /** Ends the job with its current status. */
  readonly post: (jobStatus: string, answers?: Answers) => Promise<Stage>
}

/** A folder in which steps of the action run, one at a time, with a stand-in for signalbox. */
export const bench = () => {
  const workspace = mkdtempSync(join(tmpdir(), "action-"))
  const logFile = join(workspace, "calls")
  const stage = async (
    entry: string,
    inputs: Readonly<Record<string, string>>,
    answers: Answers,
    more: Readonly<Record<string, string>>,
    stopWhen?: RegExp
  ): Promise<Stage> => {
    writeFileSync(logFile, "")
    const given = { signalbox: join(root, "tools/workflows/fake.mjs"), "working-directory": ".", ...inputs }
    const ended = await runChild(join(bin, "node"), [join(action, entry)], {
      cwd: workspace,
      env: {
        PATH: `${bin}:${process.env["PATH"] ?? ""}`,
        GITHUB_WORKSPACE: workspace,
        GITHUB_REPOSITORY: "octo-org/shop",
        GITHUB_RUN_ID: "4711",
        GITHUB_SHA: "0123456789abcdef0123456789abcdef01234567",
        RUNNER_TEMP: workspace,
        FAKE_LOG: logFile,
        FAKE_ANSWERS: JSON.stringify(answers),
        ...Object.fromEntries(Object.entries(given).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value])),
        ...more
      },
      stopWhen
    })
    const lines = readFileSync(logFile, "utf8").split("\n").filter(Boolean)
    return { ...ended, messages: messagesOf(ended.log), calls: lines.map((line) => JSON.parse(line) as Call) }
  }
  const main = async (
    inputs: Readonly<Record<string, string>>,
    answers: Answers = {},
    options: { readonly env?: Readonly<Record<string, string>>; readonly stopWhen?: RegExp } = {}
  ): Promise<MainStage> => {
    const files = stepFiles(workspace)
    const done = await stage("main.mjs", inputs, answers, { ...files.env, ...options.env }, options.stopWhen)
    return {
      ...done,
      files,
      outputs: files.values("output"),
      summary: files.read("summary"),
      post: (jobStatus, later = answers) =>
        stage("post.mjs", { ...inputs, "job-status": jobStatus }, later, {
          ...files.env,
          ...Object.fromEntries(Object.entries(files.values("state")).map(([name, value]) => [`STATE_${name}`, value]))
        })
    }
  }
  return { workspace, main, remove: () => rmSync(workspace, { recursive: true, force: true }) }
}
