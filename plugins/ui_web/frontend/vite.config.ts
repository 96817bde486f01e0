import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { defineConfig, type Plugin } from "vite";

/** Writes each file packed beside itself, as well as it can be: the server sends those as they are. After all else that changes them. */
function packed(): Plugin {
  return {
    name: "packed",
    apply: "build",
    writeBundle(options, bundle) {
      for (const name of Object.keys(bundle).filter((name) => /\.(js|css|svg)$/.test(name))) {
        const path = join(options.dir ?? "", name);
        const body = readFileSync(path);
        writeFileSync(`${path}.gz`, gzipSync(body, { level: 9 }));
        writeFileSync(`${path}.br`, brotliCompressSync(body, { params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY } }));
      }
    },
  };
}

/**
 * What is loaded together. Small files pack badly and cost a request each, so pages that are seen one after the other share one; what most
 * pages need comes with the first. A room goes with the group of highest priority that names it or needs it. No page may need more than two
 * groups besides the first, and none may need `plot`, which stays alone with its library.
 */
const GROUPS = [
  { name: "index", priority: 9, test: /src\/(main|api|app|values|styles|extensions\/(list|part)|parts\/(?!spark|markdown)|run\/diff)/ },
  { name: "grid", priority: 8, test: /src\/(grid\/|runs\/(view|which)|charts\/(view|answer))/ },
  { name: "runs", priority: 7, test: /src\/(runs\/|pages\/runs)/ },
  { name: "charts", priority: 6, test: /src\/(charts\/(?!plot|painter)|run\/charts-tab)/ },
  { name: "viewers", priority: 5, test: /src\/(viewers\/|artifacts\/|run\/(artifacts|code|log)-tab)/ },
  { name: "compare", priority: 4, test: /src\/(compare\/|pages\/compare)/ },
  { name: "models", priority: 3, test: /src\/(registry\/|model\/|pages\/(models|logged-model)|run\/lineage-tab)/ },
  { name: "run", priority: 2, test: /src\/(run\/|pages\/run\b)/ },
  { name: "about", priority: 1, test: /src\/pages\/(plugins|system|lost)/ },
];

export default defineConfig({
  base: "./",
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    outDir: "../drupe_ui_web/built",
    emptyOutDir: true,
    manifest: true,
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: { output: { codeSplitting: { groups: GROUPS } } },
  },
  plugins: [packed()],
});
