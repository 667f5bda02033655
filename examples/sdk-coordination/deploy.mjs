// Stands for an existing deploy tool that must not run twice at the same time.
import { appendFileSync } from "node:fs"
import { setTimeout } from "node:timers/promises"

const [version] = process.argv.slice(2)
appendFileSync("deployed.txt", `begin ${version}\n`)
console.log(`${version} is brought in, as ${process.env.SIGNALBOX_CORRELATION_ID}`)
await setTimeout(300)
appendFileSync("deployed.txt", `end ${version}\n`)
