/**
 * Packs all packages, installs the tarballs into an empty folder with npm, as a user would, and there runs the command and
 * the example of the README, checked by the compiler first. Nothing of this repository but the tarballs is used.
 */
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { pack } from "./pack.ts"
import { manifest, root, run } from "./repository.ts"

const folder = mkdtempSync(join(tmpdir(), "signalbox-installed-"))
try {
  const packed = pack(folder)
  const { devDependencies = {} } = manifest(root)
  writeFileSync(
    join(folder, "package.json"),
    JSON.stringify({
      private: true,
      type: "module",
      dependencies: {
        ...Object.fromEntries(packed.map(({ manifest, tarball }) => [manifest.name, `file:${tarball}`])),
        effect: devDependencies["effect"],
        typescript: devDependencies["typescript"],
        "@types/node": devDependencies["@types/node"]
      }
    })
  )
  run("npm", ["install", "--no-audit", "--no-fund", "--loglevel=error"], { cwd: folder })

  const version = run(join(folder, "node_modules/.bin/signalbox"), ["--version"], { cwd: folder })
  console.log(`signalbox --version: ${version.trim()}`)

  copyFileSync(join(root, "examples/sdk-quickstart/main.ts"), join(folder, "main.ts"))
  writeFileSync(
    join(folder, "tsconfig.json"),
    JSON.stringify({
      compilerOptions: {
        target: "ES2024",
        module: "NodeNext",
        lib: ["ES2024"],
        types: ["node"],
        strict: true,
        noEmit: true,
        skipLibCheck: false
      },
      files: ["main.ts"]
    })
  )
  run(join(folder, "node_modules/.bin/tsc"), ["-p", "."], { cwd: folder })
  console.log(run("node", ["main.ts"], { cwd: folder }).trim())
} finally {
  rmSync(folder, { recursive: true, force: true })
}
