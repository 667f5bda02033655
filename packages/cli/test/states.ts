import { causeInfo, errorInfo, type Execution } from "@signalbox/core/spi"

const start = Date.UTC(2026, 10, 21, 8, 0, 0)
export const at = (seconds: number): number => start + seconds * 1000

type Stack = Execution.StackState
type State = Execution.ExecutionState

const release = (version: string) => ({ id: `r-${version}`, version, configDigest: "c" })

export const stack = (name: string, more: Partial<Omit<Stack, "name">> = {}): Stack => ({
  name: name as Stack["name"],
  provider: "local",
  status: "not_deployed",
  release: null,
  candidate: null,
  candidateTraffic: 0,
  checkpoint: null,
  outputs: {},
  stages: ["initialization", "health_check", "deployment", "validation"].map((stage) => ({
    name: stage as Execution.StageState["name"],
    status: "pending"
  })),
  ...more
})

export const stagesAt = (running: string | undefined, status: "running" | "waiting" = "running"): Stack["stages"] => {
  const names = ["initialization", "health_check", "deployment", "validation"] as const
  const index = running === undefined ? names.length : names.indexOf(running as never)
  return names.map((name, at_) =>
    at_ < index
      ? { name, status: "succeeded", startedAt: at(at_), finishedAt: at(at_ + 1) }
      : at_ === index
        ? { name, status, startedAt: at(at_) }
        : { name, status: "pending" }
  )
}

export const done = (name: string, version: string): Stack =>
  stack(name, { status: "deployed", release: release(version), stages: stagesAt(undefined) })

export const canary = (name: string, weight: number): Stack =>
  stack(name, {
    status: "deploying",
    release: release("v1"),
    candidate: release("v2"),
    candidateTraffic: weight,
    progress: "2 of 2 instances of v2 are ready",
    stages: stagesAt("deployment")
  })

export const execution = (more: Partial<State> = {}): State => ({
  correlationId: "4f9d0f0e-1b5e-4a51-9d0c-3a8d8a8a2f10" as State["correlationId"],
  deploymentId: "DX6604E" as State["deploymentId"],
  environment: "production" as State["environment"],
  kind: "deploy",
  status: "in_progress",
  deploymentBefore: "deployed",
  version: "v2",
  by: "ada",
  requestedAt: at(0),
  startedAt: at(0),
  stages: stagesAt("deployment"),
  stacks: [done("database", "v2"), canary("api", 50), stack("web")],
  verdicts: [],
  questions: [],
  ...more
})

/** A cause and an error that say what a person wrote. */
export const saying = (text: string) => causeInfo("reported", { by: "ada" }, text)
export const failing = (text: string) => errorInfo("reported_failed", { by: "ada" }, { detail: text })

export const verdict = (stackName: string, kind: "pass" | "fail", reason: string): State["verdicts"][number] => ({
  stack: stackName as never,
  step: "canary 50%",
  releaseId: "r-v2",
  verdict: kind,
  findings: [saying(reason)],
  evidence: [],
  weight: 50,
  at: at(20)
})
