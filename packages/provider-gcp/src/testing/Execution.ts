/**
 * An execution of a job: its resource, and the process that does the work.
 */
import { type App, startTask, type Task } from "./Apps.ts"
import type { Operation } from "./Operations.ts"
import type { JsonMessage } from "./Protos.ts"
import { ApiError } from "./ApiError.ts"
import { condition, type ConditionJson, lastOf, type Mutable, type TemplateJson } from "./RunState.ts"

/** An execution, as the API shows it in JSON. */
export interface ExecutionJson {
  readonly name: string
  readonly job: string
  readonly annotations?: Readonly<Record<string, string>>
  readonly createTime: string
  readonly completionTime?: string
  readonly reconciling: boolean
  readonly conditions: ReadonlyArray<ConditionJson>
  readonly succeededCount: number
  readonly failedCount: number
  readonly cancelledCount: number
  readonly [key: string]: unknown
}

export class Execution {
  readonly json: Mutable<ExecutionJson>
  readonly #operation: Operation
  readonly #task: Task
  #cancelled: Operation | undefined

  constructor(name: string, template: JsonMessage, app: App, operation: Operation) {
    const task = template["template"] as unknown as TemplateJson
    const now = new Date().toISOString()
    this.#operation = operation
    this.json = {
      ...(template["annotations"] === undefined
        ? {}
        : { annotations: template["annotations"] as Record<string, string> }),
      name,
      job: lastOf(name.replace(/\/executions\/.*$/, "")),
      createTime: now,
      startTime: now,
      taskCount: 1,
      template: task,
      reconciling: true,
      conditions: [condition("Completed", "CONDITION_RECONCILING")],
      runningCount: 1,
      succeededCount: 0,
      failedCount: 0,
      cancelledCount: 0,
      logUri: `https://console.cloud.google.com/logs/viewer?advancedFilter=${encodeURIComponent(`labels."run.googleapis.com/execution_name"="${lastOf(name)}"`)}`,
      etag: '"1"'
    }
    const env = Object.fromEntries((task.containers![0]!.env ?? []).map((one) => [one.name, one.value ?? ""]))
    this.#task = startTask(app, { ...env, CLOUD_RUN_JOB: this.json.job, CLOUD_RUN_EXECUTION: lastOf(name) })
    void this.#task.ended.then((failure) => this.#end(failure))
  }

  get running(): boolean {
    return this.json.reconciling
  }

  cancel(operation: Operation): void {
    this.#cancelled = operation
    this.#task.stop()
    if (!this.running) operation.succeed(this.json as unknown as JsonMessage)
  }

  async stop(): Promise<void> {
    this.#task.stop()
    await this.#task.ended
  }

  #end(failure: string | null): void {
    const cancelled = this.#cancelled !== undefined
    const why = cancelled
      ? { executionReason: "CANCELLED", message: `Execution ${lastOf(this.json.name)} has been cancelled.` }
      : { executionReason: "NON_ZERO_EXIT_CODE", message: `Task ${lastOf(this.json.name)}-task0 failed: ${failure}` }
    const ended =
      failure === null && !cancelled
        ? condition("Completed", "CONDITION_SUCCEEDED")
        : condition("Completed", "CONDITION_FAILED", why)
    Object.assign(this.json, {
      reconciling: false,
      conditions: [ended],
      completionTime: ended.lastTransitionTime,
      runningCount: 0,
      succeededCount: failure === null && !cancelled ? 1 : 0,
      failedCount: failure !== null && !cancelled ? 1 : 0,
      cancelledCount: cancelled ? 1 : 0
    })
    const json = this.json as unknown as JsonMessage
    if (ended.state === "CONDITION_SUCCEEDED") this.#operation.succeed(json)
    else this.#operation.fail(new ApiError("ABORTED", why.message))
    this.#cancelled?.succeed(json)
  }
}
