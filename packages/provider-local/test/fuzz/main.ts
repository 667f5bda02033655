/**
 * `npm run fuzz [-- exchanges [seed]]`: sends bytes to both sides of the proxy and prints what came of it.
 */
import * as Effect from "effect/Effect"
import { setup } from "../../../cli/test/sharedProgram.ts"
import { fuzz } from "./fuzz.ts"

const [exchanges = 100_000, seed = Math.floor(Math.random() * 2 ** 32)] = process.argv.slice(2).map(Number)
console.log(`${exchanges} exchanges, seed ${seed}`)
const removeProgram = setup()
const figures = await Effect.runPromise(
  fuzz(exchanges, seed, (done) => {
    if (done % 10_000 === 0 && done > 0) console.log(`${done} …`)
  })
)
for (const [kind, { answered, count }] of Object.entries(figures.kinds).sort()) {
  console.log(
    `  ${kind.padEnd(34)} ${String(count).padStart(7)}  ${((100 * answered) / count).toFixed(1).padStart(5)} % answered`
  )
}
const seconds = (milliseconds: number) => `${(milliseconds / 1000).toFixed(1)} s`
console.log(`  steady traffic beside it           ${String(figures.steady).padStart(7)}`)
console.log(
  `${figures.exchanges} exchanges in ${seconds(figures.milliseconds)}, drained and stopped in ${seconds(figures.stopMilliseconds)}`
)
console.log(`the supervisor ${figures.supervisorKept ? "is the same process" : "ended and was started again"}`)
for (const failure of figures.failures) console.log(`✗ ${failure}`)
const well = figures.failures.length === 0 && figures.supervisorKept && figures.exchanges === exchanges
console.log(well ? "0 failures" : `${figures.failures.length} failures; again: npm run fuzz -- ${exchanges} ${seed}`)
removeProgram()
process.exit(well ? 0 : 1)
