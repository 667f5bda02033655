import * as Context from "effect/Context"

/**
 * What a transaction has to survive: a loss of power, or only the end of the process. By default a loss of power.
 *
 * *Details*: what became of notifications may be lost with the power: they are planned again under the same ids and sent
 * again under the same keys. A deployment beside them must not wait for the disk because of them. Clients that know one way
 * to commit ignore it.
 */
export const Durability = Context.Reference<"power loss" | "process">("@signalbox/core/store/sql/Durability", {
  defaultValue: () => "power loss"
})
