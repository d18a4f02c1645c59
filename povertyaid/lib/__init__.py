"""Pure helpers without models or settings: calendars, identity numbers, masks, names, money, spreadsheets."""
