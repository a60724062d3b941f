"""Names to build a company of; those that break careless programs are first in line."""

from __future__ import annotations

# Given name, surname, common name: every DN special of RFC 4514, accents, other scripts.
AWKWARD: tuple[tuple[str, str, str], ...] = (
    ("Ada", "Byron", "Ada Byron"),
    ("Jürgen", "Müller", "Müller, Jürgen"),
    ("Anna", "Łukasiewicz", 'Anna "Ann" Łukasiewicz'),
    ("Søren", "Ågård", "Søren Ågård + Partner"),
    ("Support", "Desk", "#1 Support Desk"),
    ("Seán", "O'Neill", "Seán O'Neill (Contractor)"),
    ("François", "d'Éparcy", "François d'Éparcy; Lyon"),
    ("Ines", "Weiß", "Ines Weiß <Night=Shift>"),
    ("Paul", "Backslash", "Paul Back\\slash"),
    ("太郎", "山田", "山田 太郎"),
    ("Ελένη", "Παπαδοπούλου", "Ελένη Παπαδοπούλου"),
    ("Zoë", "Ünal", "Zoë *Star* Ünal"),
)
GIVEN = (
    *("Amélie", "Anders", "Björn", "Chiara", "Claire", "Dmitri", "Elif", "Emma", "Fiona", "Gábor", "Hana"),
    *("Hugo", "Ingrid", "Jakub", "João", "Karin", "Lars", "Léa", "Małgorzata", "Mark", "Nadia", "Noël"),
    *("Olga", "Pedro", "Quentin", "Rosa", "Siobhán", "Thomas", "Ulrike", "Václav", "Wei", "Yasmin", "Zdeněk"),
)
SURNAMES = (
    *("Åkesson", "Almeida", "Bauer", "Bélanger", "Çelik", "Costa", "Dubois", "Eriksson", "Fischer", "García"),
    *("Großmann", "Horváth", "Ivanova", "Jørgensen", "Kowalski", "Kučera", "Lefèvre", "Meyer", "Nguyễn"),
    *("Núñez", "Olsen", "Petrović", "Quist", "Rossi", "Sørensen", "Szabó", "Şahin", "Taylor", "Wójcik"),
    *("Van den Berg", "D'Angelo", "O'Connor", "Smith-Jones", "Yılmaz", "Žižka"),
)
DEPARTMENTS: tuple[tuple[str, ...], ...] = (
    ("Engineering",),
    ("Engineering", 'Research, Development & "Fun"'),
    ("Engineering", "R+D Zürich"),
    ("Sales",),
    ("Sales", "North; South"),
    ("Finance (Group)",),
    ("#Operations",),
    ("Ventes à l'étranger",),
)
TITLES = ("Engineer", "Senior Engineer", "Analyst", "Account Manager", "Controller", "Assistant", "Director")
COMPANIES = ("Northwind Traders", "Fabrikam & Söhne", "Contoso, Inc.", "Tailspin Toys")
STREETS = ("Hauptstraße", "High Street", "Rue de l'Église", "Storgatan", "ul. Długa")
CITIES = (
    ("London", "United Kingdom", "GB", "826"),
    ("Zürich", "Switzerland", "CH", "756"),
    ("Malmö", "Sweden", "SE", "752"),
    ("Łódź", "Poland", "PL", "616"),
    ("Besançon", "France", "FR", "250"),
)
AWKWARD_GROUPS = (
    "All Staff",
    "Sales, North & South",
    'The "A" Team',
    "C++ Guild",
    "#announcements",
    "Ops (night shift)",
    "Évènements",
)
GROUP_TOPICS = ("Project", "Printer", "Share", "Application", "Committee", "Site", "Licence")
PLAIN_LETTERS = str.maketrans({"ß": "ss", "ł": "l", "Ł": "L", "ø": "o", "Ø": "O", "å": "a", "ı": "i"})
