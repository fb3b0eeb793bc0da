import { Frame } from "@/components/frame";
import { NoteForm } from "@/components/note-form";
import { callApi, type Notes } from "@/lib/api";
import { requiredWho } from "@/lib/who";

export const metadata = { title: "Notes" };

export default async function Page() {
  const someone = await requiredWho();
  const answer = await callApi("/api/notes");
  return (
    <Frame at="/notes" who={someone}>
      <h1>Notes</h1>
      <NoteForm />
      {answer.ok ? <List {...((await answer.json()) as Notes)} /> : <p className="problem">The notes cannot be read at the moment ({answer.status}).</p>}
    </Frame>
  );
}

function List({ user, notes }: Notes) {
  return (
    <>
      <div className="card" data-testid="notes">
        {notes.length === 0 && <span className="quiet-text">Nothing written yet.</span>}
        <ul className="notes">
          {notes.map(({ text, written }) => (
            <li key={written}>
              <span>{text}</span>
              <time dateTime={written}>{written.slice(0, 16).replace("T", " ")}</time>
            </li>
          ))}
        </ul>
      </div>
      <p className="quiet-text">
        The Python API keeps these for <span data-testid="api-user">{user.email}</span>, whom it knows by {user.by}.
      </p>
    </>
  );
}
