"""Names for worlds that draw documents: people, places, shops, goods, departments; split like everything else.

Each list is a dictionary by split, built by `divided`: about one name in four is kept for evaluation, chosen by the
name's own hash, so that adding a name never moves another one. All names are plain ASCII, because some of the fonts
lack accents, and none holds a comma or the word "and", so that an enumeration of them can be taken apart again.
People, shops and companies are made up. Lists that only one world needs stay with that world.
"""

import random

from clearsight.data.worlds.scene import Split, belongs_to

Names = dict[Split, tuple[str, ...]]


def divided(text: str, every: int = 4) -> Names:
    """Names, separated by commas, by split: about one in `every` for evaluation."""
    names = tuple(dict.fromkeys(" ".join(name.split()) for name in text.split(",")))
    return {
        "train": tuple(name for name in names if belongs_to("train", name, every)),
        "eval": tuple(name for name in names if belongs_to("eval", name, every)),
    }


FIRST_NAMES = divided(
    """Ada, Aisha, Alan, Amir, Ana, Andre, Anna, Anton, Ben, Bianca, Bruno, Carla, Carlos, Chen, Chloe, Clara, Daan,
    Dana, Daniel, David, Diego, Elena, Elias, Ella, Emil, Emma, Erik, Esther, Eva, Farid, Felix, Fiona, Frida, Gina,
    Grace, Greta, Hana, Hassan, Heidi, Hugo, Ida, Ines, Ingrid, Irene, Isaac, Ivan, Jack, Jana, Jonas, Julia, Karim,
    Kenji, Kofi, Lara, Lars, Laura, Leila, Leo, Lina, Liam, Lucas, Lucy, Maja, Malik, Marco, Maria, Marta, Max, Maya,
    Mei, Mila, Mina, Mohan, Nadia, Nina, Noah, Nora, Olga, Oliver, Omar, Oscar, Otto, Paula, Pedro, Petra, Priya,
    Ravi, Rita, Robin, Rosa, Ruth, Sam, Sara, Simon, Sofia, Stefan, Tara, Theo, Tomas, Uma, Vera, Viktor, Wanda,
    Yusuf, Zoe"""
)
SURNAMES = divided(
    """Abbot, Adeyemi, Ahmed, Andersen, Baker, Banerjee, Bauer, Becker, Bell, Berg, Blanc, Bosch, Brandt, Brook,
    Brown, Burke, Castro, Chang, Clark, Costa, Cruz, Dahl, Diaz, Dubois, Eriksen, Evans, Farah, Fischer, Fleming,
    Flores, Ford, Fox, Garcia, Gomez, Grant, Gupta, Haddad, Hall, Hansen, Hart, Hill, Hoffman, Holm, Hughes, Ito,
    Ivanov, Jansen, Jensen, Kaplan, Kaur, Keller, Khan, Kim, King, Klein, Kowalski, Kumar, Lane, Larsen, Lee, Lewis,
    Lindberg, Lopez, Marsh, Martin, Mehta, Meyer, Miller, Moreau, Morgan, Mori, Nakamura, Nguyen, Nielsen, Novak,
    Okafor, Olsen, Ortiz, Osei, Park, Patel, Perez, Peters, Petrov, Price, Quinn, Ramos, Reed, Reyes, Ricci, Rossi,
    Rowe, Russo, Santos, Sato, Schmidt, Scott, Sharma, Shaw, Silva, Singh, Sousa, Stein, Stone, Sutton, Suzuki,
    Tanaka, Taylor, Torres, Tran, Turner, Vargas, Vogel, Wagner, Walker, Wang, Weber, West, White, Wolf, Wood, Yang,
    Young, Zhang, Ziegler"""
)
CITIES = divided(
    """Aarhus, Accra, Antwerp, Athens, Austin, Baku, Bari, Basel, Belfast, Bergen, Berlin, Bern, Bilbao, Boston,
    Bremen, Bristol, Cairo, Calgary, Cardiff, Chicago, Cologne, Cork, Dakar, Delhi, Denver, Dover, Dresden, Dublin,
    Durban, Exeter, Fresno, Galway, Geneva, Genoa, Ghent, Glasgow, Graz, Hamburg, Hanoi, Havana, Helsinki, Houston,
    Istanbul, Jaipur, Kiel, Kobe, Krakow, Kyoto, Lagos, Leeds, Leipzig, Leon, Lille, Lima, Lisbon, London, Lyon,
    Madrid, Malaga, Malmo, Manila, Miami, Milan, Mumbai, Munich, Nairobi, Nantes, Naples, Nice, Oporto, Osaka, Oslo,
    Ottawa, Oxford, Palermo, Paris, Perth, Phoenix, Pisa, Plymouth, Poznan, Prague, Quito, Reims, Riga, Rome,
    Rotterdam, Salerno, Seattle, Seville, Seoul, Sofia, Split, Swansea, Sydney, Tallinn, Tampa, Tokyo, Toronto,
    Toulouse, Trieste, Tunis, Turin, Utrecht, Valencia, Venice, Verona, Vienna, Vilnius, Warsaw, York, Zagreb,
    Zurich"""
)
STREETS = divided(
    """Acorn Lane, Abbey Road, Alder Way, Anchor Street, Bakers Row, Bank Street, Barn Lane, Beech Avenue,
    Birch Road, Bridge Street, Brook Lane, Canal Road, Castle Street, Cedar Avenue, Chapel Lane, Cherry Close,
    Church Road, Clifton Road, Copper Street, Dale Street, Dove Lane, Elm Street, Falcon Road, Fern Close,
    Field Lane, Forge Road, Garden Street, Glen Road, Grove Street, Harbour Road, Hazel Close, Heath Lane,
    High Street, Hope Street, Ivy Lane, Kings Road, Lake View, Larch Avenue, Laurel Way, Lime Street, Linden Road,
    Long Lane, Maple Drive, Market Square, Meadow Lane, Mill Lane, Moor Road, North Parade, Oak Avenue,
    Orchard Way, Park Road, Pine Street, Pond Close, Poplar Road, Queen Street, River Walk, Rose Lane,
    Sandy Lane, School Road, Silver Street, South Quay, Spring Road, Station Road, Stone Street, Sunny Bank,
    Temple Road, Tower Street, Union Street, Vale Road, Victoria Road, Water Lane, Well Street, Willow Way,
    Wood Street"""
)
SHOPS = divided(
    """Amber Market, Apple Cart, Barley Mill, Basil House, Bay Leaf, Big Basket, Blue Kettle, Bright Corner,
    Brook Stores, Bumble Mart, Cedar Foods, City Pantry, Clover Shop, Copper Pot, Corner Table, Cosy Cup,
    Country Larder, Crown Bakery, Daily Loaf, Dawn Cafe, Duck Pond Deli, Farm Gate, Fern Grocer, Fig Tree,
    Fresh Lane, Garden Plate, Golden Crust, Good Harvest, Green Fork, Happy Olive, Harbour Grill, Hearth Kitchen,
    Hill Top Store, Honey Jar, Iron Skillet, Jasmine Inn, Juniper Bar, Kite Coffee, Lemon Grove, Lighthouse Cafe,
    Little Spoon, Lucky Noodle, Mango Stand, Maple Diner, Market Hall, Mill Pond Shop, Mint Leaf, Moon River Cafe,
    New Leaf Books, Nut Hut, Oak Barrel, Old Oven, Olive Press, Orange Door, Paper Moon, Park Bistro, Pear Tree,
    Pine Nut, Plum Store, Quick Stop, Red Apron, River Rice, Rosemary Inn, Rustic Bowl, Salt Box, Sea Salt Grill,
    Seven Figs, Silver Ladle, Stone Oven, Sugar Loaf, Sun Fruit, Tall Glass, Tea Garden, Tiny Tomato, Town Tap,
    Velvet Bean, Village Green, Walnut Hall, White Plate, Wild Thyme, Yellow Door"""
)
COMPANIES = divided(
    """Acorn Systems, Alto Robotics, Arrow Freight, Aspen Labs, Atlas Bank, Aurora Air, Beacon Media, Birchwood Ltd,
    Blue Peak, Bolt Energy, Brightline, Canyon Tools, Cascade Rail, Cobalt Works, Comet Travel, Coral Health,
    Crest Motors, Delta Optics, Drift Marine, Eagle Coaches, Echo Sound, Ember Power, Falcon Parts, Fjord Lines,
    Forge Steel, Frost Foods, Gale Wind, Glacier Water, Granite Homes, Harbour Trust, Helix Bio, Horizon Air,
    Indigo Print, Ivory Paper, Jade Textiles, Keystone Law, Lantern Films, Larkspur Care, Lumen Solar, Maple Code,
    Meridian Air, Mosaic Design, Nimbus Cloud, Nordic Rail, Oakfield Group, Onyx Glass, Orbit Telecom, Osprey Lines,
    Pebble Toys, Pinnacle Gym, Polar Parcel, Prairie Farms, Quartz Clocks, Quill Press, Raven Security,
    Redwood Labs, Ridge Outdoor, Sable Fashion, Saffron Spice, Sierra Maps, Skylark Air, Solstice Spa,
    Sterling Bank, Summit Data, Swift Courier, Tandem Bikes, Terra Seeds, Tidal Energy, Topaz Homes, Umber Clay,
    Vector Games, Violet Pharma, Vista Hotels, Willow Insurance, Zephyr Airways, Zenith Metals"""
)
GROCERIES = divided(
    """Apples, Apricot Jam, Bagel, Baguette, Baked Beans, Bananas, Basmati Rice, Black Pepper, Black Tea, Blueberries,
    Bread, Brown Sugar, Butter, Cabbage, Carrots, Cashews, Celery, Cheddar, Cherries, Chickpeas, Chocolate,
    Cinnamon, Coconut Milk, Cooking Oil, Cornflakes, Cottage Cheese, Crackers, Cream, Croissant, Cucumber, Dates,
    Dish Soap, Eggs, Flour, Frozen Peas, Garlic, Ginger, Grapes, Green Beans, Ham, Hazelnuts, Honey, Hummus, Kiwis,
    Leeks, Lemons, Lentils, Lettuce, Mango, Maple Syrup, Margarine, Milk, Mushrooms, Mustard, Napkins, Noodles,
    Oat Milk, Oatmeal, Olives, Onions, Orange Juice, Oranges, Paper Towels, Parsley, Pasta, Peaches, Peanuts, Pears,
    Pineapple, Plums, Potatoes, Pumpkin, Radishes, Raisins, Raspberries, Red Wine, Rolls, Rye Bread, Salmon, Salt,
    Shampoo, Soap, Spinach, Sponges, Strawberries, Sunflower Oil, Tea Bags, Toast, Tofu, Tomatoes, Toothpaste,
    Tuna, Vinegar, Walnuts, Washing Powder, Watermelon, Yeast, Yogurt, Zucchini"""
)
DISHES = divided(
    """Apple Pie, Bean Chili, Beef Stew, Berry Tart, Burger, Burrito, Caesar Salad, Cappuccino, Carrot Cake, Cheesecake,
    Chicken Curry, Chicken Soup, Club Sandwich, Cod Fillet, Cola, Crepes, Dumplings, Espresso, Falafel Wrap,
    Fish Soup, French Fries, Fried Rice, Fruit Salad, Garlic Bread, Ginger Ale, Gnocchi, Goulash, Greek Salad,
    Green Curry, Green Tea, Grilled Cheese, Hot Chocolate, Hot Dog, Ice Cream, Iced Tea, Lamb Chops, Lasagne, Latte,
    Lemon Tart, Lemonade, Lentil Soup, Lobster Roll, Mac Cheese, Meatballs, Mint Tea, Mixed Grill, Mushroom Pie,
    Nachos, Omelette, Onion Rings, Pad Thai, Paella, Pancakes, Pizza, Poached Eggs, Pork Ribs, Potato Salad,
    Prawn Curry, Pudding, Quiche, Ramen, Ravioli, Rice Bowl, Risotto, Roast Beef, Sausages, Scones, Shrimp Roll,
    Smoothie, Sorbet, Spring Rolls, Steak, Sushi Plate, Tacos, Tiramisu, Tomato Soup, Tonic Water, Tuna Melt,
    Veggie Wrap, Waffles"""
)
PRODUCTS = divided(
    """Alarm Clock, Armchair, Backpack, Basketball, Bath Mat, Beach Towel, Bicycle Pump, Binoculars, Blanket, Blender,
    Bookshelf, Bracelet, Bucket, Camera, Candle, Chess Set, Coat Rack, Coffee Maker, Cushion, Desk Fan, Desk Lamp,
    Doormat, Drill, Earrings, Extension Cord, Flashlight, Flower Pot, Frying Pan, Garden Hose, Gloves, Guitar,
    Hair Dryer, Hammer, Hammock, Headphones, Helmet, Hiking Boots, Ironing Board, Jump Rope, Kettle, Keyboard,
    Kitchen Scale, Ladder, Lantern, Laptop Stand, Laundry Basket, Lunch Box, Microphone, Mirror, Monitor, Mouse Pad,
    Notebook, Office Chair, Paint Set, Pencil Case, Phone Case, Picnic Basket, Pillow, Printer, Puzzle, Radio,
    Rain Jacket, Raincoat, Rice Cooker, Router, Running Shoes, Sandals, Saucepan, Scarf, Scissors, Screwdriver,
    Shelf, Skateboard, Sleeping Bag, Socks, Speaker, Stapler, Suitcase, Sunglasses, Sweater, Table Lamp, Tablet,
    Teapot, Tennis Racket, Tent, Toaster, Toolbox, Travel Mug, Tripod, Umbrella, Vacuum Flask, Vase, Wall Clock,
    Wallet, Watering Can, Webcam, Whisk, Wrench, Yoga Mat"""
)
DEPARTMENTS = divided(
    """Accounting, Archives, Audit, Billing, Catering, Communications, Compliance, Customer Care, Data Science, Design,
    Dispatch, Distribution, Editorial, Engineering, Events, Facilities, Field Service, Finance, Fleet, Fundraising,
    Graphics, Human Resources, Imports, Innovation, Inventory, Laboratory, Legal, Library, Licensing, Logistics,
    Maintenance, Marketing, Operations, Packaging, Payroll, Personnel, Planning, Press Office, Procurement,
    Production, Projects, Public Affairs, Purchasing, Quality, Real Estate, Reception, Recruiting, Research, Retail,
    Safety, Sales, Security, Services, Shipping, Strategy, Support, Testing, Training, Treasury, Warehouse,
    Wholesale"""
)
OCCUPATIONS = divided(
    """Accountant, Actor, Architect, Baker, Barber, Biologist, Butcher, Carpenter, Chef, Chemist, Cleaner, Dancer,
    Dentist, Designer, Driver, Editor, Electrician, Engineer, Farmer, Firefighter, Fisher, Florist, Gardener,
    Geologist, Glazier, Guard, Jeweller, Journalist, Judge, Lawyer, Lecturer, Librarian, Mechanic, Midwife, Miner,
    Musician, Nurse, Optician, Painter, Pharmacist, Photographer, Physicist, Pilot, Plumber, Porter, Potter,
    Printer, Roofer, Sailor, Secretary, Surgeon, Surveyor, Tailor, Teacher, Translator, Vet, Waiter, Weaver, Welder,
    Writer"""
)
MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def person(rng: random.Random, split: Split) -> str:
    """A first name and a surname."""
    return f"{rng.choice(FIRST_NAMES[split])} {rng.choice(SURNAMES[split])}"


def people(rng: random.Random, split: Split, count: int) -> list[str]:
    """Full names of which no two share a first name or a surname."""
    first, last = rng.sample(FIRST_NAMES[split], count), rng.sample(SURNAMES[split], count)
    return [f"{a} {b}" for a, b in zip(first, last, strict=True)]


def address(rng: random.Random, split: Split) -> str:
    """House number and street."""
    return f"{rng.randint(1, 180)} {rng.choice(STREETS[split])}"
