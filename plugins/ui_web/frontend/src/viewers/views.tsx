/** Several ways to look at one file, kept in the address as `view`, or under another name. */
import { place, setQuery } from "../app/router";

/** The view that the address names, or the first. */
export function useView(views: readonly string[]): string {
  const asked = place.value.query.get("view") ?? "";
  return views.includes(asked) ? asked : (views[0] ?? "");
}

export function Views({ chosen, views, name = "view" }: { chosen: string; views: Readonly<Record<string, string>>; name?: string }) {
  const first = Object.keys(views)[0];
  return (
    <div class="choice" role="group" aria-label={name === "view" ? "View" : "Viewer"}>
      {Object.entries(views).map(([key, title]) => (
        <button type="button" key={key} aria-pressed={key === chosen} onClick={() => setQuery({ [name]: key === first ? undefined : key })}>
          {title}
        </button>
      ))}
    </div>
  );
}
