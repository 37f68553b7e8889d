// Work at many stations: all of it, one of it, or a new one.
import { NewCampaign } from './form';
import { List } from './list';
import { One } from './one';

export default function Campaigns({
  id,
  show,
  work,
  setWork,
}: {
  id: string | undefined;
  show: (id: string | undefined) => void;
  /** Stations to begin with, empty for a choice by their properties; null: no form. */
  work: string[] | null;
  setWork: (stations: string[] | null) => void;
}) {
  if (work !== null && id === undefined)
    return (
      <NewCampaign
        stations={work}
        close={() => setWork(null)}
        started={(made) => {
          setWork(null);
          show(made);
        }}
      />
    );
  if (id !== undefined)
    return (
      <One
        key={id}
        id={id}
        back={() => show(undefined)}
        again={(stations) => {
          setWork(stations);
          show(undefined);
        }}
      />
    );
  return <List show={show} create={() => setWork([])} />;
}
