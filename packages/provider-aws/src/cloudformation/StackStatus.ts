/**
 * What each status of a stack means, and what may follow it: a table, decided here and nowhere else.
 */
import type { StackStatus } from "@aws-sdk/client-cloudformation"

/**
 * What is known about a stack by its status.
 *
 * *Details*
 *
 * - `none` there is no stack: nothing was made, or it is gone
 * - `working` an operation is in progress, and its end is open
 * - `cleaning` an operation whose outcome is decided removes what is no longer used; nothing else can begin yet
 * - `usable` at rest, and can be updated
 * - `failed` at rest; what was there before cannot be relied on, and the stack can be updated or rolled back
 * - `stuck` at rest; a rollback or a deletion has failed, and has to be finished first
 * - `unusable` at rest; its creation has failed, and it can only be deleted
 */
export type StackClass = "none" | "working" | "cleaning" | "usable" | "failed" | "stuck" | "unusable"

/**
 * What a rollback does first: `wait` for the end of the operation, `cancel` the update, `continue` the rollback that is
 * stuck, `rollBack` a failed operation, `delete` the stack, `redeploy` the checkpoint, or `create` the stack again.
 * `refuse`: only a person can tell what may be lost.
 */
export type WayBackStep = "wait" | "cancel" | "continue" | "rollBack" | "delete" | "redeploy" | "create" | "refuse"

/** `hint` says what a person can do about a stack that is stuck. */
export interface StatusMeaning {
  readonly class: StackClass
  readonly back: WayBackStep
  readonly hint?: string
}

const meanings: Readonly<Record<StackStatus, StatusMeaning>> = {
  REVIEW_IN_PROGRESS: { class: "none", back: "create" },
  DELETE_COMPLETE: { class: "none", back: "create" },

  CREATE_IN_PROGRESS: { class: "working", back: "wait" },
  UPDATE_IN_PROGRESS: { class: "working", back: "cancel" },
  DELETE_IN_PROGRESS: { class: "working", back: "wait" },
  IMPORT_IN_PROGRESS: { class: "working", back: "wait" },
  ROLLBACK_IN_PROGRESS: { class: "working", back: "wait" },
  UPDATE_ROLLBACK_IN_PROGRESS: { class: "working", back: "wait" },
  IMPORT_ROLLBACK_IN_PROGRESS: { class: "working", back: "wait" },

  UPDATE_COMPLETE_CLEANUP_IN_PROGRESS: { class: "cleaning", back: "wait" },
  UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS: { class: "cleaning", back: "wait" },

  CREATE_COMPLETE: { class: "usable", back: "redeploy" },
  UPDATE_COMPLETE: { class: "usable", back: "redeploy" },
  IMPORT_COMPLETE: { class: "usable", back: "redeploy" },
  UPDATE_ROLLBACK_COMPLETE: { class: "usable", back: "redeploy" },
  IMPORT_ROLLBACK_COMPLETE: { class: "usable", back: "redeploy" },

  UPDATE_FAILED: { class: "failed", back: "rollBack" },
  CREATE_FAILED: { class: "failed", back: "rollBack" },

  UPDATE_ROLLBACK_FAILED: {
    class: "stuck",
    back: "continue",
    hint: "Roll it back: signalbox rollback. resourcesToSkip names what may stay as it is."
  },
  IMPORT_ROLLBACK_FAILED: {
    class: "stuck",
    back: "refuse",
    hint: "Correct the import at AWS: its resources may be in use."
  },
  DELETE_FAILED: {
    class: "stuck",
    back: "refuse",
    hint: "Finish the deletion: signalbox destroy-stack. retainOnDestroy and forceDestroy say what may stay."
  },

  ROLLBACK_COMPLETE: { class: "unusable", back: "delete" },
  ROLLBACK_FAILED: { class: "unusable", back: "delete" }
}

/** A status that this version does not know is an operation in progress, or a failure. */
export const meaningOf = (status: string): StatusMeaning =>
  (Object.hasOwn(meanings, status) ? meanings[status as StackStatus] : undefined) ??
  (status.endsWith("_IN_PROGRESS") ? { class: "working", back: "wait" } : { class: "failed", back: "redeploy" })

/** Whether an operation is at its end. */
export const isAtRest = (status: string): boolean => !status.endsWith("_IN_PROGRESS") || status === "REVIEW_IN_PROGRESS"

/** Whether an operation that ended with this status has brought in what it was told to. */
export const hasSucceeded = (status: string): boolean =>
  ["CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE", "DELETE_COMPLETE"].includes(status)
