import { describe, expect, it } from "vitest"
import {
  deploymentMachine,
  Event,
  ExecutionKind,
  executionMachine,
  OperatorCommand,
  stackMachine,
  stageMachine,
  StageName,
  VerdictKind
} from "../../src/domain/index.ts"

// These words are in stored logs and in other people's scripts. A word may be added here; changing or removing one
// breaks both.
describe("persisted words", () => {
  it.each([
    [deploymentMachine, "initialized deploying deployed partial failed destroying destroyed unknown"],
    [stackMachine, "not_deployed deploying deployed failed rolling_back destroying destroyed"],
    [executionMachine, "queued in_progress paused rolling_back completed failed rolled_back cancelled"],
    [stageMachine, "pending running waiting succeeded failed skipped cancelled"]
  ])("statuses of $name", (machine, words) => {
    expect(machine.states.join(" ")).toBe(words)
  })

  it.each([
    [
      deploymentMachine,
      "deploy_started deploy_completed deploy_partial deploy_failed kept_initialized kept_deployed kept_partial " +
        "kept_failed kept_destroyed kept_unknown destroy_started destroy_completed destroy_failed lost_sight"
    ],
    [
      stackMachine,
      "deploy_started deploy_completed deploy_failed rollback_started rolled_back rolled_back_to_nothing " +
        "rollback_failed destroy_started destroy_completed interrupted destroy_failed"
    ],
    [executionMachine, "started paused resumed rollback_started completed rolled_back failed cancelled"],
    [stageMachine, "started waiting resumed succeeded failed skipped cancelled"]
  ])("triggers of $name", (machine, words) => {
    expect(machine.triggers).toEqual(expect.arrayContaining(words.split(" ")))
  })

  it("tags of events", () => {
    expect(Object.keys(Event.cases)).toEqual(
      expect.arrayContaining(
        (
          "DeploymentInitialized ExecutionRequested RunnerClaimed LeaseAcquired ExecutionTransitioned StageTransitioned StackTransitioned " +
          "DeploymentTransitioned StackPlanned CheckpointRecorded OutputsRecorded TrafficObserved VerdictReached ProgressReported " +
          "ApprovalRequested ApprovalResolved CommandIssued StepStarted StepFinished DeferredDone ClockSet TraceExported"
        ).split(" ")
      )
    )
  })

  it.each([
    ["kinds of executions", ExecutionKind, "deploy deploy-stack rollback destroy destroy-stack run observe"],
    ["stages", StageName, "initialization health_check deployment validation rollback destruction"],
    ["commands of operators", OperatorCommand, "pause resume approve promote abort retry"],
    ["verdicts", VerdictKind, "pass fail inconclusive no_data error"]
  ])("%s", (_, schema, words) => {
    expect(schema.literals.join(" ")).toBe(words)
  })
})
