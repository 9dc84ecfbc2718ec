/** Words of a kit by which it is known again. */

export const TITLE = 'Recovery kit';

/** Where a person writes the password, or where it is. */
export const PASSWORD_BLANK = '______________________________________';
