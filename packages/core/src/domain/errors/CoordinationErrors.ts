/** Errors of coordination: something else comes first, or a right was lost. */
import { error } from "./Registry.ts"

const later = { retryable: true, ends: "blocked" } as const

export const coordinationErrors = {
  blocked_by_lease: error(
    "blocked",
    "environment",
    {
      deployment: "text",
      environment: "text",
      execution: "text",
      kind: "text?",
      by: "text?",
      isDead: "boolean?",
      leftMs: "ms?",
      until: "time?"
    },
    "Another execution holds the lease on the environment.",
    later
  ),
  blocked_by_queue: error(
    "blocked",
    "environment",
    { deployment: "text", environment: "text", execution: "text", kind: "text", by: "text", until: "time?" },
    "Another request is queued ahead.",
    later
  ),
  blocked_by_lock: error(
    "blocked",
    "environment",
    { environment: "text", by: "text", until: "time?" },
    "A person locked the environment.",
    later
  ),
  blocked_by_freeze: error(
    "blocked",
    "configuration",
    { environment: "text", freeze: "text", until: "time?" },
    "A freeze is active.",
    later
  ),
  blocked_by_veto: error(
    "blocked",
    "environment",
    { version: "text", by: "text", until: "time?" },
    "The version was vetoed.",
    { ends: "blocked" }
  ),
  blocked_by_dependency: error(
    "blocked",
    "environment",
    {
      stack: "text?",
      deployment: "text?",
      environment: "text?",
      status: "text",
      execution: "text?",
      until: "time?"
    },
    "A stack or deployment that this one depends on is not deployed.",
    later
  ),
  blocked_by_stale_order: error(
    "blocked",
    "caller",
    { commit: "text?", newer: "text?", state: "text", execution: "text?", until: "time?" },
    "A newer commit is already deployed, being deployed or queued.",
    { ends: "blocked" }
  ),
  blocked_by_provider: error(
    "blocked",
    "provider",
    { stack: "text", answered: "boolean", until: "time?" },
    "A foreign operation is in progress at the provider, or the provider does not answer.",
    later
  ),
  blocked_by_drift: error(
    "blocked",
    "environment",
    { stack: "text", differences: "causes", until: "time?" },
    "The stack differs from what was deployed (drift). Only `can-deploy` checks for it.",
    { ends: "blocked" }
  ),
  claimed_elsewhere: error(
    "blocked",
    "environment",
    { execution: "text" },
    "Another process runs the execution.",
    later
  ),
  waited_for: error(
    "blocked",
    "caller",
    { execution: "text", owner: "text" },
    "Another process waits for the admission of this request.",
    later
  ),
  still_running: error(
    "blocked",
    "caller",
    { execution: "text", owner: "text?" },
    "A process still runs the execution.",
    later
  ),
  being_recorded: error(
    "blocked",
    "environment",
    { execution: "text" },
    "Another process is recording the same request.",
    later
  ),
  not_recorded: error(
    "blocked",
    "environment",
    { deployment: "text", environment: "text" },
    "The lease was lost before the request was recorded.",
    later
  ),
  nested_run: error(
    "blocked",
    "caller",
    { execution: "text", deployment: "text", environment: "text", purpose: "text?" },
    "The request comes from inside the command that holds the lease, so it would wait for itself."
  ),
  already_locked: error(
    "failed",
    "caller",
    { deployment: "text", environment: "text", by: "text?" },
    "Another person holds the lock."
  ),
  not_locked: error(
    "failed",
    "caller",
    { deployment: "text", environment: "text" },
    "No person holds a lock on the environment."
  ),
  not_vetoed: error("failed", "caller", { version: "text", environment: "text?" }, "There is no such veto to lift."),
  lease_changed_hands: error(
    "failed",
    "environment",
    { before: "text", now: "text" },
    "Another execution acquired the lease before it could be revoked."
  ),
  lease_lost: error(
    "failed",
    "environment",
    { key: "text?", fence: "number?" },
    "The lease was lost to another process."
  ),
  lease_expired: error(
    "unavailable",
    "environment",
    { command: "boolean?" },
    "The store was unavailable for longer than the lease lasts, so the work was stopped.",
    { ends: "unavailable", retryable: true }
  )
} as const
