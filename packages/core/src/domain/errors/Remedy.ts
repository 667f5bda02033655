/**
 * What a person can do about an error, as data: the CLI renders it as a command, the SDK as a method, a web page as a link.
 */
import * as Schema from "effect/Schema"
import { CorrelationId, DeploymentId, EnvironmentName, StackName } from "../Ids.ts"

const execution = { execution: CorrelationId }
const place = { deployment: DeploymentId, environment: EnvironmentName }

/**
 * One way out.
 *
 * *Details*: `hint` is a provider's own advice and `console` a page of the provider; both are text from outside.
 */
export const Remedy = Schema.TaggedUnion({
  /** Follow the execution, or carry it on. */
  attach: execution,
  abort: execution,
  monitor: execution,
  status: execution,
  events: execution,
  cleanup: execution,
  /** Give a registered run its command. */
  run_command: execution,
  /** Wait in the queue instead of being rejected. */
  queue: {},
  /** Go ahead in spite of policies, with a reason. */
  override: {},
  /** Take a lock over from the person who holds it. */
  force: {},
  /** Show everything that blocks. */
  explain: place,
  history: { deployment: Schema.optionalKey(DeploymentId), environment: Schema.optionalKey(EnvironmentName) },
  deploy_version: { ...place, version: Schema.String },
  /** Go back to what the deployment was after an execution. */
  rollback_to: { ...place, execution: CorrelationId },
  destroy_stack: { ...place, stack: StackName },
  show_lock: place,
  unlock: place,
  revoke_lease: place,
  lift_veto: { deployment: DeploymentId, environment: Schema.NullOr(EnvironmentName), version: Schema.String },
  list: {},
  init: {},
  active: {},
  orphans: {},
  /** Ask the providers where the store is away. */
  ask_providers: {},
  console: { url: Schema.String },
  hint: { text: Schema.String }
})
export type Remedy = typeof Remedy.Type
