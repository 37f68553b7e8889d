import styles from './shell.module.css';

export function Mark() {
  return (
    <svg viewBox="0 0 24 24" width="24" height="24" fill="none" aria-hidden="true" className={styles.mark}>
      <circle cx="12" cy="12" r="10" stroke="currentColor" strokeWidth="2" />
      <path d="M13 5.5 7.5 13H11l-.5 5.5L16.5 11H13z" fill="currentColor" />
    </svg>
  );
}
