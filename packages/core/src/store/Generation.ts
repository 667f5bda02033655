import * as Context from "effect/Context"
import { migrations } from "./sql/Migrations.ts"

/**
 * The generation of what this process writes: it grows with every new event tag, field or table, and each is a migration,
 * with or without statements. States carry the generation that wrote them: a process of an older one reads them, and does not
 * append to them.
 */
export const Generation = Context.Reference<number>("@signalbox/core/store/Generation", {
  defaultValue: () => migrations.length
})
